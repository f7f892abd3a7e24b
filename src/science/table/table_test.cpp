#include "table/table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "formats/gaussian_error.h"

namespace bitlaw {
namespace {

std::string error_of(const std::string& csv, const std::string& columns = "") {
  try {
    read_table(csv, "runs.csv", parse_columns(columns));
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

std::string error_of(const std::function<void()>& reads) {
  try {
    reads();
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Table, RowsMarkedAsUnstableAreLeftOutUnlessAskedFor) {
  const std::string csv =
      "N,D,loss,P_a,unstable\n1e8,2e9,3,16,0\n1e8,2e9,4,3,1\n1e8,2e9,3.5,4,\n1e8,2e9,5,2,1\n";
  const Table table = read_table(csv, "t", TableOptions{});
  ASSERT_EQ(table.runs.size(), 2u);
  EXPECT_EQ(table.runs[1].bits_activations, 4);
  EXPECT_EQ(table.unstable, 2);
  EXPECT_EQ(table.notes,
            std::vector<std::string>{
                "2 rows were trained with 3 bits or fewer of activations or KV, where "
                "training limps or diverges, and are left out; --keep-3bit uses them."});
  EXPECT_EQ(read_table(csv, "t", TableOptions{.keep_3bit = true}).runs.size(), 4u);
  EXPECT_EQ(read_table("N,D,loss,P_a\n1e8,2e9,4,3\n", "t", TableOptions{}).runs.size(), 1u)
      << "a table from elsewhere marks nothing";
  EXPECT_NE(error_of("N,D,loss,unstable\n1e8,2e9,3,1\n").find("--keep-3bit"), std::string::npos);
}

TEST(Table, MarksAreReadAsAnyProgramSpellsThem) {
  const auto unstable = [](const std::string& mark) {
    return read_table("N,D,loss,unstable\n1e8,2e9,3," + mark + "\n1e8,4e9,2.9,\n", "t",
                      TableOptions{})
        .unstable;
  };
  for (const char* yes : {"1", "1.0", "2", "true", "True", "TRUE", "yes"})
    EXPECT_EQ(unstable(yes), 1) << yes;
  for (const char* no : {"", "0", "0.0", "false", "False", "no", "NaN", "None"})
    EXPECT_EQ(unstable(no), 0) << no;
  EXPECT_NE(error_of("N,D,loss,unstable\n1e8,2e9,3,perhaps\n").find("neither true nor false"),
            std::string::npos);
  EXPECT_EQ(read_table(R"([{"N":1e8,"D":2e9,"loss":3,"unstable":true},
                           {"N":1e8,"D":3e9,"loss":3,"unstable":1.0},
                           {"N":1e8,"D":4e9,"loss":3,"unstable":false}])",
                       "t")
                .unstable,
            2);
}

TEST(Table, AStatusIsReadInAnyCaseAndOthersAreNamed) {
  const auto read = [](const std::string& status) {
    return read_table("N,D,loss,status\n1e8,2e9,3," + status + "\n1e8,4e9,2.9,finished\n", "t",
                      TableOptions{});
  };
  for (const char* word :
       {"diverged", "Diverged", "DIVERGED ", "failed", "FAILED", "diverged (nan)", "NaN"}) {
    EXPECT_EQ(read(word).diverged, 1) << word;
    EXPECT_EQ(read(word).runs.size(), 1u) << word;
  }
  for (const char* word : {"", "finished", "Finished", "done", "COMPLETED", "success", "OK"})
    EXPECT_EQ(read(word).runs.size(), 2u) << word;
  for (const char* word : {"running", "crashed", "Killed", "started", "preempted"}) {
    const Table table = read(word);
    EXPECT_EQ(table.runs.size(), 1u) << word;
    EXPECT_EQ(table.notes, std::vector<std::string>{fmt::format(
                               "Not known to be finished and left out: status {} in 1 row. "
                               "--columns status=- uses all rows.",
                               word)});
  }
  EXPECT_NE(error_of("N,D,loss,status\n1e8,2e9,3,running\n").find("none is known to be finished"),
            std::string::npos);
  EXPECT_EQ(read_table("N,D,loss,status\n1e8,2e9,3,running\n", "t", parse_columns("status=-"))
                .runs.size(),
            1u);
}

TEST(Table, DivergedRunsAreCountedAsRuns) {
  const Table table = read_table(
      "N,D,loss,status,run_fraction,P_post,delta\n1e8,2e9,3,finished,1,,\n1e8,2e9,,diverged,1,,\n"
      "1e8,1e9,4,diverged,0.5,,\n1e8,5e8,4,diverged,0.25,,\n1e8,5e8,4,diverged,0.25,4,.1\n",
      "t", TableOptions{});
  EXPECT_EQ(table.diverged, 1);
  EXPECT_EQ(table.of_diverged, 3);
  EXPECT_EQ(table.notes,
            (std::vector<std::string>{"1 run is marked as diverged or failed and left out.",
                                      "3 rows of models along diverged runs, or of what was "
                                      "quantized after them, are left out."}));
}

TEST(Table, RepeatedTextIsNotedForALawWithoutIt) {
  const std::string csv =
      "N,D,loss,unique_tokens\n1e8,2e9,3,2e9\n1e8,4e9,2.9,2e9\n1e8,8e9,2.8,1e9\n";
  EXPECT_EQ(read_table(csv, "t", TableOptions{}).notes,
            std::vector<std::string>{
                "2 of 3 rows repeat their text, up to 8 epochs: a law without a term for that "
                "takes its cost for an effect of D; muennighoff has one."});
  TableOptions options;
  options.may_differ.modelled = {"epochs", "unique_tokens"};
  EXPECT_TRUE(read_table(csv, "t", options).notes.empty());
}

// Their learning rate had not decayed, so they are no finished runs of fewer tokens.
TEST(Table, RunsOfTuningAreLeftOutUnlessTheyAreAskedFor) {
  const std::string text =
      "N,D,loss,lr,tuning\n1e8,2e9,3,0.01,\n1e8,2e9,4,0.1,1\n1e8,2e9,3.1,0.02,1\n";
  const Table table = read_table(text, "t", TableOptions{});
  EXPECT_EQ(table.runs.size(), 1u);
  EXPECT_EQ(table.tuning, 2);
  EXPECT_NE(std::find_if(table.notes.begin(), table.notes.end(),
                         [](const std::string& note) {
                           return note.find("2 rows are runs of tuning") == 0;
                         }),
            table.notes.end());
  TableOptions options;
  options.where = {"tuning=1", "lr=0.1"};
  EXPECT_EQ(read_table(text, "t", options).runs.size(), 1u);
}

TEST(Table, ModelsAlongARunAreLeftOutUnlessAskedFor) {
  const std::string csv =
      "N,D,loss,run_fraction\n1e8,2e9,3,1\n1e8,1e9,4,0.5\n1e8,5e8,4.5,0.25\n1e8,4e9,2.9,\n";
  const Table table = read_table(csv, "t", TableOptions{});
  EXPECT_EQ(table.runs.size(), 2u);
  EXPECT_EQ(table.along, 2);
  EXPECT_EQ(table.notes,
            std::vector<std::string>{
                "2 rows are of models along their runs, before their learning rates had decayed, "
                "and are left out; --where 'run_fraction<1' or --pool run_fraction uses them."});
  TableOptions options;
  options.where = {"run_fraction=0.5"};
  EXPECT_EQ(read_table(csv, "t", options).runs.size(), 1u);
  options.where = {"run_fraction<=1"};  // finished runs and others: that is to be said
  EXPECT_NE(error_of([&] {
              read_table(csv, "t", options);
            }).find("rows differ in run_fraction (0.25: 1 row, 0.5: 1 row, 1: 1 row)"),
            std::string::npos);
  TableOptions pooled;
  pooled.along = true;
  pooled.may_differ.pooled = {"run_fraction"};
  EXPECT_EQ(read_table(csv, "t", pooled).runs.size(), 4u);
  options.where = {"f=0.25"};
  options.columns = {{"run_fraction", "f"}};
  EXPECT_EQ(read_table("N,D,loss,f\n1e8,2e9,3,1\n1e8,5e8,4.5,0.25\n", "t", options).runs.size(),
            1u);
  EXPECT_NE(error_of("N,D,loss,run_fraction\n1e8,2e9,3,0.5\n").find("'run_fraction<1'"),
            std::string::npos);
}

TEST(Table, ReadsColumnsInAnyOrder) {
  const Table table = read_table(
      "note,loss,run,D,P_w,N,N_total,P_post,delta,standard_error,status\n"
      "\"a, \"\"quoted\"\" note\",3.25,r1,2e9,4,1e8,1.1e8,,,,finished\n"
      "\"two\nlines\", 3.5 ,r1,2e9,,1e8,,3,0.25,0.001,\r\n"
      "\n"
      "x,,r2,2e9,16,1e8,,,,,diverged",
      "runs.csv");
  ASSERT_EQ(table.runs.size(), 2u);
  EXPECT_EQ(table.diverged, 1);
  const Observation& run = table.runs[0];
  EXPECT_EQ(run.params, 1e8);
  EXPECT_EQ(run.params_total, 1.1e8);
  EXPECT_EQ(run.tokens, 2e9);
  EXPECT_EQ(run.loss_nats, 3.25);
  EXPECT_EQ(run.bits_weights, 4);
  EXPECT_EQ(run.bits_activations, kUnquantizedBits);
  EXPECT_EQ(run.cluster, "r1");
  EXPECT_FALSE(run.is_post_training());
  EXPECT_TRUE(std::isnan(run.delta_nats));
  const Observation& cell = table.runs[1];
  EXPECT_TRUE(cell.is_post_training());
  EXPECT_EQ(cell.bits_weights, kUnquantizedBits);
  EXPECT_EQ(cell.delta_nats, 0.25);
  EXPECT_EQ(cell.delta_standard_error, 0.001);
}

TEST(Table, AMethodIsNamedWithItsGroup) {
  const Table table = read_table(
      "N,D,loss,P_post,delta,method,group\n1e8,2e9,3,16,,none,\n1e8,2e9,,4,.1,rtn,0\n"
      "1e8,2e9,,4,.1,gptq,128\n",
      "runs.csv");
  EXPECT_EQ(table.runs.at(0).method, "");
  EXPECT_EQ(table.runs.at(1).method, "rtn");
  EXPECT_EQ(table.runs.at(2).method, "gptq-g128");
}

// Such a row has P_post 16 where the weights are as trained: as a row of training it would spoil the
// fit of the loss.
TEST(Table, WhatWasRoundedInUseIsNoTraining) {
  const Table table = read_table(
      "N,D,loss,P_post,delta,method,format_a_post,format_kv_post\n1e8,2e9,3,16,,none,,\n"
      "1e8,2e9,4,16,1,none+a4,int4/tensor,\n1e8,2e9,3.5,4,.5,rtn+kv3,,int3/tensor\n"
      "1e8,2e9,3.1,4,.1,rtn,,\n",
      "runs.csv");
  ASSERT_EQ(table.runs.size(), 2u);
  EXPECT_EQ(table.runs[0].loss_nats, 3);
  EXPECT_EQ(table.runs[1].method, "rtn");
  EXPECT_EQ(table.in_use, 2);
  EXPECT_NE(table.notes.back().find("2 rows have activations or KV rounded"), std::string::npos);
}

// Up to version 0.2, one scale per sequence was called tensor, in our own tables.
TEST(Table, TheOldNameOfPerSequenceIsReadWithANote) {
  const std::string header =
      "N,D,loss,P_w,P_a,granularity_w,granularity_a,granularity_kv,run,measured_delta,"
      "calibration_seed,storage_bits,data_hash\n";
  const std::string csv = header +
                          "1e8,2e9,3,4,4,tensor,tensor,tensor,a,,,,x\n"
                          "1e8,2e9,3.01,4,4,tensor,sequence,tensor,b,,,,x\n";
  const Table table = read_table(csv, "runs.csv");
  EXPECT_EQ(table.runs.size(), 2u) << "one granularity, so nothing is pooled";
  ASSERT_FALSE(table.notes.empty());
  EXPECT_EQ(table.notes[0],
            "granularity_a is tensor in 1 row: read as sequence, which version 0.2 called so; one "
            "scale per batch is batch.");
  EXPECT_THROW(read_table(header + "1e8,2e9,3,4,4,tensor,tensor,,a,,,,x\n"
                                   "1e8,2e9,3.01,4,4,tensor,batch,,b,,,,x\n",
                          "t"),
               Error);
  TableOptions options;
  options.where = {"granularity_a=tensor"};
  const Table asked = read_table(csv, "runs.csv", options);
  EXPECT_EQ(asked.runs.size(), 2u);
  EXPECT_EQ(std::count_if(asked.notes.begin(), asked.notes.end(),
                          [](const std::string& note) {
                            return note.starts_with("granularity_a = tensor means one scale per");
                          }),
            1);
}

TEST(Table, ElsewhereTensorIsWhatItSays) {
  const std::string csv =
      "N,D,loss,P_a,granularity_a\n1e8,2e9,3,4,per-tensor\n1e8,2e9,3.01,4,tensor\n";
  const Table table = read_table(csv, "t.csv");
  EXPECT_EQ(table.runs.size(), 2u) << "the same";
  EXPECT_TRUE(table.notes.empty());
  TableOptions options;
  options.where = {"granularity_a=tensor"};
  EXPECT_EQ(read_table(csv, "t.csv", options).runs.size(), 1u) << "as the file spells it";
  EXPECT_NE(error_of(csv + "1e8,2e9,3.1,4,sequence\n").find("rows differ in granularity_a"),
            std::string::npos);
}

TEST(Table, ColumnsMayBeNamedByTheUser) {
  const Table table = read_table("params,tokens,val_loss\n1e8,2e9,3\n", "runs.csv",
                                 parse_columns("N=params, D=tokens,loss=val_loss"));
  EXPECT_EQ(table.runs.at(0).loss_nats, 3);
}

TEST(Table, AByteOrderMarkIsNotPartOfTheFirstName) {
  EXPECT_EQ(read_table("\xEF\xBB\xBFN,D,loss\n1e8,2e9,3\n", "runs.csv").runs.size(), 1u);
}

struct Mistake {
  const char *csv, *columns, *expected;
};

TEST(Table, EveryMistakeIsOneClearSentence) {
  for (const Mistake& mistake : {
           Mistake{"", "", "is empty"},
           Mistake{"\n\n", "", "is empty"},
           Mistake{"N,D,loss\n", "", "no row to fit"},
           Mistake{"N,D,loss,status\n1,1,1,diverged\n", "", "every run diverged"},
           // Of a directory of `bitlaw tune`.
           Mistake{"N,D,loss,status,tuning\n1,1,,diverged,1\n1e8,2e9,3,finished,1\n", "",
                   "no row to fit; --where tuning=1 uses runs of tuning"},
           Mistake{"N,D,los\n1,2,3\n", "",
                   "no column loss (loss in nats per token; did you mean 'los'?); the file has N, "
                   "D, los"},
           Mistake{"N,D,loss\n1,2,3\n", "loss=val", "no column val"},
           Mistake{"N,D,loss\n1,2,3\n", "P_w=wbits", "no column wbits"},
           Mistake{"N,D,D,loss\n1,2,2,3\n", "", "column D appears twice"},
           Mistake{"N,D,loss\n1e8,2e9\n", "", "line 2 has 2 fields, the header has 3"},
           Mistake{"N,D,loss\n1e8,2e9,3,4\n", "", "line 2 has 4 fields"},
           Mistake{"N,D,loss\n1e8,2e9,3\n1e8,2e9,three\n", "",
                   "line 3, column loss: three is not a number"},
           Mistake{"N,D,loss\n1e8,2e9,3x\n", "", "3x is not a number"},
           Mistake{"N,D,loss\n1e8,2e9,nan\n", "", "line 2, column loss: nan is not finite"},
           Mistake{"N,D,loss\n1e8,inf,3\n", "", "column D: inf is not finite"},
           Mistake{"N,D,loss\n1e8,2e9,-3\n", "", "column loss: -3 must be positive"},
           Mistake{"N,D,loss\n1e8,0,3\n", "", "column D: 0 must be positive"},
           Mistake{"N,D,loss\n1e8,2e9,\n", "", "column loss: an empty field"},
           Mistake{"N,D,loss,P_w\n1e8,2e9,3,-4\n", "", "column P_w: -4 is not a number of bits"},
           Mistake{"N,D,loss,P_post\n1e8,2e9,3,4\n", "", "column delta: an empty field"},
           Mistake{"N,D,loss\n1e8,2e9,\"3\n", "", "never ends"},
           Mistake{"N,D,loss\n1,2,3\n", "loss", "is not NAME=COLUMN"},
           Mistake{"N,D,loss\n1,2,3\n", "delt=x", "did you mean 'delta'?"},
           Mistake{"N,D,loss\n1e8,2e9,nan\n", "", "--where 'loss!=nan' leaves such rows out"},
           Mistake{"N,D,loss\n1e8,2e9,-3\n", "", "--where 'loss>0' leaves such rows out"},
           Mistake{"N,D,loss\n1e8,2e9,\n", "", "--where 'loss!=' leaves such rows out"},
           Mistake{"N,D,loss\n1e8,2e9,\"3,25\"\n", "", "write 1234.5, not 1,234.5"},
           Mistake{"N,D,loss\n1e999,2e9,3\n", "", "column N: 1e999 is not"},
           Mistake{"N,D,loss\nxM,2e9,3\n", "", "xM is not a number"},
           Mistake{"N,D,loss,format\n1e8,2e9,3,e9m9\n", "", "line 2, column format: e9m9 is no"},
           Mistake{"N,D,loss,qat_share\n1e8,2e9,3,30\n", "", "30 is not a share"},
           Mistake{"N,D,ppl\n1e8,2e9,0.5\n", "", "is not a perplexity"},
           Mistake{"C,N,loss\n1,1e308,3\n", "", "column"},
           Mistake{"N,D,loss,loss_lo95,loss_hi95\n1e8,2e9,3,4,2\n", "", "is below"},
           Mistake{"C,loss\n1e20,3\n", "", "no column N"},
           Mistake{"N,D,loss\n1e8,2e9,OOM\n", "", "--where 'loss!=OOM' leaves such rows out"},
           Mistake{"N,D,loss\n1e8,2e9,3.2+/-.1\n", "", "a standard error has a column of its own"},
           Mistake{"[{\"N\":1e8,\"D\":[1e9,2e9],\"loss\":3}]", "", "but a list; a row is one run"},
           // All at once: the column that is missing, and what is wrong in those that are there.
           Mistake{"N,tok,loss\nabc,2e9,3\n1e8,2e9,x\n", "",
                   "no column D (training tokens); the file has N, tok, loss; name yours with "
                   "--columns N=...,D=...,loss=...; line 2, column N: abc is not a number; line 3, "
                   "column loss: x is not a number"},
           Mistake{
               "params,D,val_bpb\n,2e9,1.1\n,4e9,x\n", "",
               "params is empty in every row, so N is not known; --columns N=... names another"},
           Mistake{"params,D,val_bpb\n,2e9,1.1\n,4e9,1\n", "", "no column loss"},
           Mistake{"params,D,loss\n,2e9,3\nNA,4e9,2.9\n", "",
                   "runs.csv: params is empty in every row"},
           Mistake{"[{\"D\":2e9,\"config\":{\"N\":1e8},\"loss\":3}]", "",
                   "did you mean 'config.N'?"},
           Mistake{"N (M),D,loss\n10,2e9,3\n", "", "did you mean 'N (M)'?"},
           Mistake{"[{\"N\":1e8,\"D\":2e9,\"loss\":null}]", "", "entry 1, column loss: an empty"},
           Mistake{"[{\"N\":1e8,\"D\":2e9,\"loss\":NaN}]", "", "column loss: NaN is not finite"},
       }) {
    const std::string sentence = error_of(mistake.csv, mistake.columns);
    EXPECT_NE(sentence.find(mistake.expected), std::string::npos)
        << mistake.csv << " gave: " << sentence;
  }
}

// One row of a table with these columns.
Observation row_of(const std::string& header, const std::string& fields,
                   const TableOptions& options = {}) {
  const Table table =
      read_table("N,D,loss," + header + "\n1e8,2e9,3," + fields + "\n", "runs.csv", options);
  return table.runs.at(0);
}

TEST(Table, WhatLawsAskForBesides) {
  const Observation run = row_of(
      "unique_tokens,training_group,backward,qat_share,loss_standard_error,gaussian_error_w,"
      "gaussian_error_a,gaussian_error_kv",
      "1e9,128,MXFP4,0.25,0.002,0.01,0.02,0.03");
  EXPECT_EQ(run.unique_tokens, 1e9);
  EXPECT_EQ(run.group, 128);
  EXPECT_EQ(run.backward, "MXFP4");
  EXPECT_EQ(run.qat_share, 0.25);
  EXPECT_EQ(run.loss_standard_error, 0.002);
  EXPECT_EQ(run.gaussian_error_weights, 0.01);
  EXPECT_EQ(run.gaussian_error_activations, 0.02);
  EXPECT_EQ(run.gaussian_error_kv, 0.03);

  const Observation plain = row_of("group_size,bwd", "-1,BF16");
  EXPECT_TRUE(std::isnan(plain.unique_tokens));
  EXPECT_TRUE(std::isnan(plain.group)) << "a channel, of a length that is not known";
  EXPECT_EQ(plain.backward, "");
  EXPECT_TRUE(std::isnan(plain.qat_share));
  EXPECT_TRUE(std::isnan(plain.loss_standard_error));
}

TEST(Table, RepeatedTokens) {
  EXPECT_EQ(row_of("epochs", "4").unique_tokens, 5e8);
  EXPECT_EQ(row_of("epochs", "0.5").unique_tokens, 2e9) << "less than all of them, once";
  EXPECT_EQ(row_of("unique_tokens", "8e9").unique_tokens, 2e9) << "no more than were seen";
}

struct Precision {
  const char *header, *fields, *precision;
  double weights, activations, kv, exponent, mantissa;
};

TEST(Table, BitsComeFromTheirColumnsFormatsOrClasses) {
  const double none = kUnknown;
  for (const Precision& each : {
           Precision{"P", "4", "", 4, 4, 4, none, none},
           Precision{"bits", "16", "", 16, 16, 16, none, none},
           Precision{"P,P_kv", "4,8", "", 4, 4, 8, none, none},
           Precision{"w_bits", "1.58", "", 1.58, 16, 16, none, none},
           Precision{"P_w", "32", "", 16, 16, 16, none, none},
           Precision{"format", "e2m1", "", 4, 4, 4, 2, 1},
           Precision{"format_w", "E4M3", "", 8, 16, 16, 4, 3},
           Precision{"format_w,format_a,format_kv", "int4,bf16,e3m2", "", 4, 16, 6, 3, 2},
           Precision{"format_w,format_a", "fp4,none", "", 4, 16, 16, 2, 1},
           Precision{"format_w,P_w", "e2m1,4", "", 4, 16, 16, 2, 1},
           Precision{"format_w,format_a", "int4+gauss+hadamard128+trust,bf16+hadamard128", "", 4,
                     16, 16, none, none},
           Precision{"format_w", "e2m1-e8m0+clip", "", 4, 16, 16, 2, 1},
           Precision{"format,P_w,P_a,P_kv", "e2m1,4,16,16", "", 4, 16, 16, 2, 1},
           Precision{"format_w,P_w", "e2m1,6", "", 6, 16, 16, 2, 1},
           Precision{"format_w,P_w", "mxfp4,4", "", 4, 16, 16, 2, 1},
           Precision{"format_w,format_a", "nvfp4,int4-e8m0", "", 4, 4, 16, 2, 1},
           Precision{"format_w,format_kv", "int4-e4m3,mxint8", "", 4, 16, 8, none, none},
           Precision{"precision", "W4A8", "W4A8", 4, 8, 16, none, none},
           Precision{"precision", "w4a4kv4", "W4A4KV4", 4, 4, 4, none, none},
           Precision{"precision", "MXFP4", "MXFP4", 4, 4, 16, 2, 1},
           Precision{"precision,P_w,P_a", "fp4,16,16", "fp4", 4, 4, 16, 2, 1},
           Precision{"precision,P_w,P_a", "2NOH,2,2", "2NOH", 2, 2, 16, none, none},
           Precision{"P_class,P_w", "W4A4,4", "W4A4", 4, 16, 16, none, none},
           Precision{"precision", "QuEST", "QuEST", 16, 16, 16, none, none},
           Precision{"precision", "NoQuantizer", "BF16", 16, 16, 16, none, none},
           Precision{"precision", "16", "BF16", 16, 16, 16, none, none},
           Precision{"precision", "", "", 16, 16, 16, none, none},
       }) {
    SCOPED_TRACE(std::string(each.header) + ": " + each.fields);
    const Observation run = row_of(each.header, each.fields);
    EXPECT_EQ(run.precision, each.precision);
    EXPECT_EQ(run.bits_weights, each.weights);
    EXPECT_EQ(run.bits_activations, each.activations);
    EXPECT_EQ(run.bits_kv, each.kv);
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    EXPECT_TRUE(same(run.exponent_bits, each.exponent)) << run.exponent_bits;
    EXPECT_TRUE(same(run.mantissa_bits, each.mantissa)) << run.mantissa_bits;
  }
}

TEST(Table, SpellingsOfOnePrecisionAreOneClassNamedAsTheFirst) {
  const auto classes = [](const std::string& column, const std::vector<std::string>& names,
                          std::string Observation::*label) {
    std::string text = "N,D,loss,backward,precision\n";
    for (const std::string& name : names)
      text += "1e8,2e9,3," + (column == "backward" ? name + "," : "," + name) + "\n";
    std::vector<std::string> out;
    for (const Observation& run : read_table(text, "runs.csv").runs) out.push_back(run.*label);
    return out;
  };
  using Names = std::vector<std::string>;
  const auto forward = [&](const Names& names) {
    return classes("precision", names, &Observation::precision);
  };
  EXPECT_EQ(forward({"MXFP4", "mxfp4", "MXFP4"}), (Names{"MXFP4", "MXFP4", "MXFP4"}));
  EXPECT_EQ(forward({"mxfp4", "MXFP4", "fp4"}), (Names{"mxfp4", "mxfp4", "fp4"}));
  EXPECT_EQ(forward({"int4", "INT4", "4", "W4A4"}), (Names{"int4", "int4", "int4", "int4"}));
  EXPECT_EQ(forward({"fp8", "e4m3", "E4M3"}), (Names{"fp8", "fp8", "fp8"}));
  EXPECT_EQ(forward({"W4A4-Hadamard", "W4A4", "w4a4-hadamard"}),
            (Names{"W4A4-Hadamard", "W4A4", "W4A4-Hadamard"}));
  EXPECT_EQ(forward({"4NOH", "4noh"}), (Names{"4NOH", "4noh"})) << "labels";
  EXPECT_EQ(forward({"none", "fp16", "QuEST"}), (Names{"BF16", "BF16", "QuEST"}));
  EXPECT_EQ(classes("backward", {"FP8", "fp8", "none"}, &Observation::backward),
            (Names{"FP8", "FP8", ""}));
}

// 4 is int4, but 2.5 is no format.
TEST(Table, ANumberThatIsNoFormatIsALabelAndTheTableSaysSo) {
  const std::string header = "N,D,loss,precision\n1e8,2e9,3,4\n";
  EXPECT_EQ(read_table(header, "runs.csv").notes,
            (std::vector<std::string>{"The bits of 1 row are taken from its precision class."}));
  const Table table =
      read_table(header + "1e8,2e9,3,2.5\n1e8,2e9,3,2.5\n1e8,2e9,3,4NOH\n", "runs.csv");
  EXPECT_EQ(table.runs[1].precision, "2.5");
  EXPECT_EQ(table.runs[1].bits_weights, 16);
  ASSERT_EQ(table.notes.size(), 2u);
  EXPECT_EQ(table.notes[1],
            "The precision 2.5 is no format, so it is a label without bits (in 2 rows); write "
            "W2.5A2.5, or columns P_w and P_a, if it means bits.");
}

// The formats' own: QuEST's notebook gives .0126849 for its four-bit floats.
TEST(Table, FloatingPointFormatsBringTheirGaussianError) {
  const double e2m1 = least_gaussian_error(float_format(2, 1)).error;
  EXPECT_NEAR(e2m1, 0.0126849, 5e-6);
  const Observation formats = row_of("format_w,format_a,gaussian_error_w", "e2m1,e2m1,0.02");
  EXPECT_EQ(formats.gaussian_error_weights, 0.02);
  EXPECT_EQ(formats.gaussian_error_activations, e2m1);
  EXPECT_TRUE(std::isnan(formats.gaussian_error_kv));
  const Observation weights = row_of("format,P_w,P_a,P_kv", "e2m1,4,16,16");
  EXPECT_EQ(weights.gaussian_error_weights, e2m1);
  EXPECT_TRUE(std::isnan(weights.gaussian_error_activations)) << "not quantized";
  const Observation named = row_of("precision", "fp4");
  EXPECT_EQ(named.gaussian_error_weights, e2m1);
  EXPECT_EQ(named.gaussian_error_activations, e2m1);
  EXPECT_TRUE(std::isnan(named.gaussian_error_kv));
  EXPECT_TRUE(std::isnan(row_of("format_w", "int4").gaussian_error_weights)) << "told by the bits";
}

TEST(Table, BitsThatAreNotTheirFormatsAreNoted) {
  const std::string header = "N,D,loss,P_w,P_a,format", roles = "N,D,loss,P_w,format_w";
  EXPECT_TRUE(read_table(header + "\n1e8,2e9,3,4,16,e2m1\n", "runs.csv").notes.empty());
  EXPECT_EQ(read_table(header + "\n1e8,2e9,3,6,16,e2m1\n", "runs.csv").notes.size(), 1u);
  EXPECT_EQ(read_table(roles + "\n1e8,2e9,3,16,e2m1\n", "runs.csv").notes.size(), 1u);
}

TEST(Table, ComputeStandsForAMissingSize) {
  const Table tokens = read_table("C,N,loss\n1.2e18,1e8,3\n", "runs.csv");
  EXPECT_DOUBLE_EQ(tokens.runs.at(0).tokens, 2e9);
  EXPECT_EQ(tokens.notes, std::vector<std::string>{"D is C / (6 N) in 1 row."});
  const Table params = read_table("C,D,loss\n1.2e18,2e9,3\n", "runs.csv");
  EXPECT_DOUBLE_EQ(params.runs.at(0).params, 1e8);
  EXPECT_TRUE(read_table("C,N,D,loss\n1.2e18,1e8,2e9,3\n", "runs.csv").notes.empty());
  const Table other = read_table("C,N,D,loss\n1.8e18,1e8,2e9,3\n", "runs.csv");
  EXPECT_EQ(other.runs.at(0).tokens, 2e9);
  EXPECT_EQ(other.notes.size(), 1u) << "C says otherwise";
}

TEST(Table, SizesMayHaveSuffixesAndUnits) {
  const Table table = read_table("N,D,loss\n30M,1.5B,3\n7 B,2T,3\n500k,1e9,3\n", "runs.csv");
  EXPECT_EQ(table.runs.at(0).params, 30e6);
  EXPECT_EQ(table.runs.at(0).tokens, 1.5e9);
  EXPECT_EQ(table.runs.at(1).params, 7e9);
  EXPECT_EQ(table.runs.at(1).tokens, 2e12);
  EXPECT_EQ(table.runs.at(2).params, 500e3);
  TableOptions options;
  options.scale = parse_scale("N=1e6,D=1e9,loss=0.5");
  const Table scaled = read_table("N,D,loss\n30,1.5,3\n", "runs.csv", options);
  EXPECT_EQ(scaled.runs.at(0).params, 30e6);
  EXPECT_EQ(scaled.runs.at(0).tokens, 1.5e9);
  EXPECT_EQ(scaled.runs.at(0).loss_nats, 1.5);
}

TEST(Table, ATotalBelowTheCountWithoutEmbeddingsIsNone) {
  const Table table = read_table("N,N_total,D,loss\n1e8,100,2e9,3\n1e8,1.1e8,2e9,3\n", "runs.csv");
  EXPECT_EQ(table.runs.at(0).params_total, 0);
  EXPECT_EQ(table.runs.at(1).params_total, 1.1e8);
  EXPECT_EQ(table.notes,
            std::vector<std::string>{"N_total is below N in 1 row and ignored there."});
}

TEST(Table, AnIntervalOfTheLossGivesItsStandardError) {
  TableOptions options;
  options.columns = parse_columns("loss=c4");
  const Table table = read_table(
      "N,D,c4,c4_lo95,c4_hi95\n1e8,2e9,3,2.990200180077,3.009799819923\n", "runs.csv", options);
  EXPECT_NEAR(table.runs.at(0).loss_standard_error, 0.005, 1e-12);
}

TEST(Table, PerplexityStandsForAMissingLoss) {
  const Table table = read_table("N,D,ppl\n1e8,2e9,20\n", "runs.csv");
  EXPECT_EQ(table.runs.at(0).loss_nats, std::log(20.0));
  EXPECT_EQ(table.notes.size(), 2u) << "the column, and the logarithm";
}

TEST(Table, RowsOfOtherKindsNeedNoLoss) {
  EXPECT_EQ(read_table("N,D,P_post,delta\n1e8,2e9,3,0.1\n", "runs.csv").runs.at(0).delta_nats, 0.1);
  EXPECT_EQ(read_table("N,D,qat_share\n1e8,2e9,0.3\n", "runs.csv").runs.at(0).qat_share, 0.3);
}

TEST(Table, FiltersClustersAndDuplicates) {
  TableOptions options;
  options.where = {"set=c4"};
  options.cluster = "set,seed";
  options.drop_duplicates = true;
  const Table table = read_table(
      "N,D,loss,set,seed\n1e8,2e9,3,c4,1\n1e8,2e9,3,c4,1\n1e8,2e9,3.1,c4,2\n1e8,2e9,3,rpj,1\n",
      "runs.csv", options);
  ASSERT_EQ(table.runs.size(), 2u);
  EXPECT_EQ(table.runs[0].cluster, "c4/1");
  EXPECT_EQ(table.runs[1].cluster, "c4/2");
  EXPECT_EQ(table.filtered, 1);
  EXPECT_EQ(table.dropped, 1);
  EXPECT_EQ(table.notes, (std::vector<std::string>{"1 row is left out by --where.",
                                                   "1 row that repeats another is dropped."}));
  // A filter also spares rows that could not be read.
  options = {};
  options.where = {"loss!=nan,"};
  EXPECT_EQ(
      read_table("N,D,loss\n1e8,2e9,nan\n1e8,2e9,\n1e8,2e9,3\n", "runs.csv", options).runs.size(),
      1u);
}

TEST(Table, RowsWithoutALossThatAreNotFinishedAreLeftOut) {
  const Table table =
      read_table("N,D,loss,status\n1e8,2e9,3,finished\n1e8,2e9,,running\n", "runs.csv");
  EXPECT_EQ(table.runs.size(), 1u);
  EXPECT_EQ(table.unfinished, 1);
}

TEST(Table, ATableTellsAPrecisionByBitsFormatsOrClasses) {
  const auto tells = [](const std::string& column, const std::string& value) {
    return tells_precision(
        read_raw_table(fmt::format("N,D,loss,{}\n1e8,2e9,3,{}\n", column, value), "t"), "t", {});
  };
  EXPECT_TRUE(tells("w_bits", "16"));
  EXPECT_TRUE(tells("format_w", "int4"));
  EXPECT_TRUE(tells("precision", "W4A4"));
  EXPECT_TRUE(tells("precision", "baseline")) << "it may be anything";
  EXPECT_TRUE(tells("ptq_bits", "4"));
  EXPECT_FALSE(tells("precision", "bf16-mixed"));
  EXPECT_FALSE(tells("precision", "NA"));
  EXPECT_FALSE(tells("lr", "0.1"));
}

}  // namespace
}  // namespace bitlaw
