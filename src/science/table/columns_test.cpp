#include "table/columns.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "record/factor_names.h"

namespace bitlaw {
namespace {

RawTable with_columns(const std::string& header) {
  return read_raw_table(header + "\n", "t", "csv");
}

struct Found {
  std::string header, ours, theirs;  // theirs "" = not found
};

TEST(Columns, UsualNamesAreRecognised) {
  for (const Found& each : {
           Found{"N,params", "N", "N"},
           Found{"params,tokens", "N", "params"},
           Found{"Model Size,Training Tokens,Training FLOP,loss", "N", "Model Size"},
           Found{"Model Size,Training Tokens,Training FLOP,loss", "D", "Training Tokens"},
           Found{"Model Size,Training Tokens,Training FLOP,loss", "C", "Training FLOP"},
           Found{"n_params,num_tokens,val_loss", "D", "num_tokens"},
           Found{"num_params,D,final_loss", "loss", "final_loss"},
           Found{"N,D,final-val/loss", "loss", "final-val/loss"},
           Found{"N,D,train_loss,val_loss", "loss", "val_loss"},
           Found{"N,D,train_loss", "loss", "train_loss"},
           Found{"non_embedding_params,params,D", "N", "non_embedding_params"},
           Found{"non_embedding_params,params,D", "N_total", "params"},
           Found{"non_embedding_params,model_size,D", "N_total", ""},  // often in millions
           Found{"w_bits,a_bits,kv_bits", "P_w", "w_bits"},
           Found{"w_bits,a_bits,kv_bits", "P_a", "a_bits"},
           Found{"w_bits,a_bits,kv_bits", "P_kv", "kv_bits"},
           Found{"bits,N", "P", "bits"},
           Found{"bits,w_bits", "P", ""},
           Found{"P_class,w_bits", "precision", "P_class"},
           Found{"fwd,bwd", "precision", "fwd"},
           Found{"fwd,bwd", "backward", "bwd"},
           Found{"group_size", "training_group", "group_size"},
           Found{"group_size,training_group", "training_group", "training_group"},
           Found{"N,loss,standard_error", "loss_standard_error", "standard_error"},
           Found{"N,delta,standard_error", "loss_standard_error", ""},
           Found{"N,delta,standard_error", "standard_error", "standard_error"},
           Found{"loss,loss_lo95,loss_hi95", "loss_low", "loss_lo95"},
           Found{"loss,loss_lo95", "loss_low", ""},
           Found{"total_params,D,loss", "N", "total_params"},
           Found{"total_params,D,loss", "N_total", "total_params"},
           Found{"loss,L", "loss", "loss"},
           Found{"N,D,L", "loss", "L"},
           Found{"n,d", "N", "n"},
           Found{"whatever", "N", ""},
           Found{"N,D,Loss", "loss", "Loss"},
           Found{"N,D,LOSS,train_loss", "loss", "LOSS"},
           Found{"N,D,Loss,val_loss", "loss", "val_loss"},
           Found{"N,D,Status", "status", "Status"},
           Found{"N,D,Delta", "delta", "Delta"},
           Found{"N,D,Epochs", "epochs", "Epochs"},
           Found{"N,D,p", "P", ""},          // a single letter
           Found{"N,D,Group", "group", ""},  // of Weights & Biases
           Found{"N,D,nbits", "P", "nbits"},
           Found{"N,D,wbit,abit", "P_w", "wbit"},
           Found{"N,learning_rate", "lr", "learning_rate"},
           Found{"N,LR", "lr", "LR"},
           Found{"N,args.lr", "lr", "args.lr"},
           Found{"N,args.optim.Learning Rate", "lr", "args.optim.Learning Rate"},
           Found{"N,args.lr,lr", "lr", "lr"},
           Found{"N,lr,learning_rate", "lr", "lr"},
           Found{"N,wd", "weight_decay", "wd"},
           Found{"N,batch_size", "batch_tokens", "batch_size"},
           Found{"N,batch_seqs", "batch_tokens", "batch_seqs"},
           Found{"N,Batch_Tokens", "batch_tokens", "Batch_Tokens"},
           Found{"N,Data_Hash", "data_hash", "Data_Hash"},
           Found{"N,dataset", "data_hash", "dataset"},
           Found{"N,Extra Norm", "extra_norm", "Extra Norm"},
           Found{"N,seq_len", "sequence", "seq_len"},
           Found{"N,random_seed", "seed", "random_seed"},
           Found{"N,n_embd,n_layer", "width", "n_embd"},
           Found{"N,train/lr", "lr", ""},  // a logged rate
           Found{"N,tokens,batch_tokens", "D", "tokens"},
       }) {
    const RawTable table = with_columns(each.header);
    std::vector<std::string> notes;
    const Columns columns(table, "t", {}, notes);
    const auto place = columns.find(each.ours);
    EXPECT_EQ(place ? table.columns()[*place] : "", each.theirs)
        << each.header << ", " << each.ours;
  }
}

TEST(Columns, OneNoteTellsAllThatWasRecognised) {
  std::vector<std::string> notes;
  const RawTable table = with_columns("params,tokens,loss");
  const Columns columns(table, "t", {}, notes);
  EXPECT_EQ(notes, std::vector<std::string>{"Columns recognized by their usual names: D is tokens, "
                                            "N is params (change with --columns)."});
  notes.clear();
  const RawTable ours = with_columns("N,D,loss,P_w,seed");
  const Columns exact(ours, "t", {}, notes);
  EXPECT_TRUE(notes.empty());
}

TEST(Columns, WhatTheUserSaysGoesFirst) {
  std::vector<std::string> notes;
  const RawTable table = with_columns("N,N_noembed,D,loss,w_bits,bits");
  const Columns columns(table, "t", parse_columns("N=N_noembed,N_total=N,P_w=-,P=-"), notes);
  EXPECT_EQ(columns.file_name("N"), "N_noembed");
  EXPECT_EQ(columns.file_name("N_total"), "N");
  EXPECT_FALSE(columns.has("P_w"));
  EXPECT_FALSE(columns.has("P"));
  EXPECT_TRUE(notes.empty());
}

TEST(Columns, FactorsHaveNamesOfTheUser) {
  std::vector<std::string> notes;
  const RawTable table = with_columns("N,D,loss,my_rate,lr,wd,set");
  const Columns columns(table, "t", parse_columns("lr=my_rate,weight_decay=-,dataset=set"), notes);
  EXPECT_EQ(columns.file_name("lr"), "my_rate");
  EXPECT_FALSE(columns.has("weight_decay"));
  EXPECT_EQ(columns.file_name("data_hash"), "set");
  EXPECT_TRUE(notes.empty());
  EXPECT_EQ(columns.place("dataset"), std::optional<size_t>(6)) << "in conditions, too";
}

TEST(Columns, ACountWithoutEmbeddingsBesideNIsPointedOut) {
  std::vector<std::string> notes;
  const RawTable table = with_columns("N,N_noembed,D,loss");
  const Columns columns(table, "t", {}, notes);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("--columns N=N_noembed,N_total=N"), std::string::npos);
}

TEST(Columns, WhatCouldMeanTwoThingsIsAsked) {
  for (const auto& [header, part] :
       {std::pair("N,D,val_loss,test_loss", "val_loss, test_loss could each be loss"),
        {"N,D,val_loss,Val Loss", "could each be loss"},
        {"N,D,delta,bits", "--columns P_post=bits or P=bits"},
        {"N,D,delta,P_post,group_size",
         "--columns training_group=group_size or group=group_size"}}) {
    try {
      std::vector<std::string> notes;
      const RawTable table = with_columns(header);
      const Columns columns(table, "t", {}, notes);
      columns.must_have({});
      FAIL() << header;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
}

TEST(Columns, TwoNamesOfAColumnThatNoFitNeedsAreNoError) {
  std::vector<std::string> notes;
  const RawTable table = with_columns("N,D,loss,run_id,run_name,a.lr,b.lr");
  const Columns columns(table, "t", {}, notes);
  columns.must_have({});
  EXPECT_FALSE(columns.has("run"));
  EXPECT_FALSE(columns.has("lr"));
  EXPECT_EQ(notes, (std::vector<std::string>{
                       "run_id, run_name could each be run (cluster): none of them is read; "
                       "--columns run=run_id says which.",
                       "a.lr, b.lr could each be lr (a factor): none of them is read; --columns "
                       "lr=a.lr says which."}));
}

TEST(Columns, EqualColumnsAreOne) {
  RawTable table = with_columns("N,D,loss,run_id,run_name,val_loss,eval_loss");
  for (const char* name : {"a", "b"}) {
    RawRow& row = table.rows.emplace_back();
    for (size_t column = 3; column < 5; ++column) row.set(column, RawField(name));
  }
  std::vector<std::string> notes;
  EXPECT_EQ(Columns(table, "t", {}, notes).file_name("run"), "run_id");
}

TEST(Columns, AllThatIsWrongIsSaidAtOnce) {
  std::vector<std::string> notes;
  const RawTable table = with_columns("my_tokens,lossy,w_bits,weight_bits");
  const Columns columns(table, "t", parse_columns("D=my_token"), notes);
  try {
    columns.must_have({"N", "loss"});
    FAIL();
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const char* part : {"my_token (training tokens", "N (parameters without embeddings",
                             "did you mean 'lossy'", "w_bits, weight_bits could each be P_w"})
      EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

TEST(Columns, LossesInOtherUnitsAreExplained) {
  for (const auto& [header, unit] : {std::pair("N,D,val_bpb", "bits per byte"),
                                     {"N,D,bits_per_byte", "bits per byte"},
                                     {"N,D,val/bpc", "bits per character"},
                                     {"N,D,bits_per_token", "bits per token"}}) {
    std::vector<std::string> notes;
    const RawTable table = with_columns(header);
    const Columns columns(table, "t", {}, notes);
    try {
      columns.must_have({"loss"});
      FAIL() << header;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(unit), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("--scale loss="), std::string::npos) << error.what();
    }
  }
}

TEST(Columns, AFileWithAColumnForEachRunIsNamed) {
  for (const auto& [header, part] :
       {std::pair("Step,a - val/loss,a - val/loss__MIN,a - val/loss__MAX",
                  "is a chart of Weights & Biases, with a column for each run (a - val/loss)"),
        {"step,L8-H768,L11-H1056", "seems to have a column for each run (L8-H768, L11-H1056)"}}) {
    std::vector<std::string> notes;
    const RawTable table = with_columns(header);
    const Columns columns(table, "t", {}, notes);
    try {
      columns.must_have({"N", "D", "loss"});
      FAIL() << header;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
}

TEST(Columns, ABlockSizeIsNotGuessed) {
  std::vector<std::string> notes;
  const RawTable table = with_columns("N,D,loss,block_size");
  EXPECT_FALSE(Columns(table, "t", {}, notes).has("training_group"));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("--columns sequence=block_size or training_group=block_size"),
            std::string::npos);
  EXPECT_TRUE(
      Columns(table, "t", parse_columns("training_group=block_size"), notes).has("training_group"));
}

TEST(Columns, AMissingColumnIsNamedWithWhatIsNear) {
  for (const auto& [header, missing, part] :
       {std::tuple("N,D,los", "loss",
                   "loss (loss in nats per token; did you mean 'los'?); the file has N, D, los"),
        {"N,D,loss_c4,loss_ptb", "loss", "did you mean one of loss_c4, loss_ptb?"},
        {"width,D,loss", "N", "no column N (parameters without embeddings); the file has width"},
        {"N,token_count_m,loss", "D", "did you mean 'token_count_m'?"},
        {"N,D,wiki2_ppl", "loss",
         "did you mean 'wiki2_ppl'? Then --columns perplexity=... takes its logarithm"},
        {"a\x1b[2Jb", "N", "a?[2Jb"}}) {
    std::vector<std::string> notes;
    const RawTable table = with_columns(header);
    const Columns columns(table, "t", {}, notes);
    try {
      columns.must_have({missing});
      FAIL() << header;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
}

TEST(Columns, PlainNames) {
  for (const auto& [name, plain] : {std::pair("Val Loss", "val_loss"),
                                    {"val/loss", "val_loss"},
                                    {"final-val/loss", "final_val_loss"},
                                    {" N (M) ", "n_m"},
                                    {"__", ""},
                                    {"P_w", "p_w"}})
    EXPECT_EQ(plain_name(name), plain) << name;
}

TEST(Columns, Scales) {
  EXPECT_EQ(parse_scale("N=1e6, D=1e9"), (std::map<std::string, double>{{"N", 1e6}, {"D", 1e9}}));
  EXPECT_TRUE(parse_scale("").empty());
  for (const char* wrong : {"N", "N=", "N=0", "N=-1", "N=x", "N=1e999", "N=nan", "M=1", "P_w=2"})
    EXPECT_THROW(parse_scale(wrong), Error) << wrong;
}

}  // namespace
}  // namespace bitlaw
