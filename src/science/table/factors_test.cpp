#include "table/factors.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/test_folder.h"
#include "laws/registry.h"
#include "table/factor_value.h"
#include "table/table.h"
#include "table/tidy_table.h"

namespace bitlaw {
namespace {

// A study of two sizes, two token counts, and W4 beside BF16, in which lr and width follow N and the
// batch follows D.
std::vector<TidyRow> study() {
  std::vector<TidyRow> rows;
  for (const int64_t n : {100'000, 400'000}) {
    for (const int64_t d : {2'000'000, 8'000'000}) {
      for (const double bits : {16.0, 4.0}) {
        TidyRow& row = rows.emplace_back();
        row.status = "finished";
        row.method = "none";
        row.N = n, row.D = d;
        row.P_w = bits;
        row.P_a = row.P_kv = row.P_q = row.P_k = row.P_v = row.P_post = 16;
        row.format_w = bits < 16 ? "int4" : "bf16";
        row.granularity_w = "channel";
        row.granularity_a = row.granularity_kv = "sequence";
        row.loss = 3 + 1e5 / static_cast<double>(n) + 1e6 / static_cast<double>(d) + 1 / bits;
        row.lr = n > 200'000 ? 0.01 : 0.02;
        row.width = n > 200'000 ? 64 : 32;
        row.batch_tokens = d > 4'000'000 ? 4096 : 1024;
        row.steps = d / *row.batch_tokens;
        row.extra_norm = "true";
        row.data_hash = "abc";
        row.seed = 1;
      }
    }
  }
  return rows;
}

std::vector<FactorRow> factor_rows(const std::vector<TidyRow>& rows) {
  std::vector<FactorRow> out;
  for (const TidyRow& row : rows) out.push_back(factor_row(row));
  return out;
}

std::string refusal(const std::vector<TidyRow>& rows, const MayDiffer& may = {}) {
  std::vector<std::string> notes;
  return error_of([&] { must_not_pool(factor_rows(rows), may, "t", "--where ", notes); });
}

// The study with one more row: a copy of one of its rows, changed.
template <class Change>
std::vector<TidyRow> with_copy_of(size_t place, const Change& change) {
  std::vector<TidyRow> rows = study();
  rows.push_back(rows[place]);
  change(rows.back());
  return rows;
}

TEST(Factors, RulesOfNAndDAreADesign) {
  EXPECT_EQ(refusal(study()), "");
  EXPECT_TRUE(pooled_factors(factor_rows(study())).empty());
  EXPECT_TRUE(pooled_factors({}).empty());
}

TEST(Factors, ADifferenceAtTheSameSettingIsRefused) {
  EXPECT_EQ(refusal(with_copy_of(0, [](TidyRow& row) { row.lr = 0.04; })),
            "t: rows differ in lr (0.02: 1 row, 0.04: 1 row) at the same N, D and precision; give "
            "--where lr=0.02 or --pool lr");
}

TEST(Factors, WhatOthersDecideIsNotNamedTwice) {
  const std::vector<TidyRow> rows = with_copy_of(0, [](TidyRow& row) {
    row.batch_tokens = 2048;
    row.D = 2'000'896;  // rounded to whole steps
    row.steps = 977;
  });
  EXPECT_EQ(refusal(rows),
            "t: rows differ in batch_tokens (1024: 1 row, 2048: 1 row) at the same N, D and "
            "precision; give --where batch_tokens=1024 or --pool batch_tokens");
  EXPECT_EQ(refusal(rows, {{"batch_tokens"}, {}}), "");
}

// The cost of precision would be that of another learning rate.
TEST(Factors, ADifferenceBetweenPrecisionsIsRefused) {
  std::vector<TidyRow> rows = study();
  for (TidyRow& row : rows) {
    if (row.P_w < 16) row.lr /= 2;
  }
  EXPECT_EQ(
      refusal(rows),
      "t: rows differ in lr (0.005: 2 rows, 0.01: 4 rows, 0.02: 2 rows) between precisions at "
      "the same N and D; no value of it has rows of what is compared, such as BF16 and fewer "
      "bits at one size; give --pool lr");
}

TEST(Factors, NearlyEqualSizesAreOne) {
  std::vector<TidyRow> rows = study();
  for (TidyRow& row : rows) {
    if (row.P_w < 16) row.lr /= 2, row.N = *row.N + *row.N / 300;
  }
  EXPECT_NE(refusal(rows).find("between precisions at the same N and D"), std::string::npos);
}

std::vector<std::string> notes_on(const std::vector<TidyRow>& rows, const MayDiffer& may = {}) {
  std::vector<std::string> notes;
  must_not_pool(factor_rows(rows), may, "t", "", notes);
  return notes;
}

TEST(Factors, WhatCannotBeToldApartIsNoted) {
  // BF16 at one size, W4 at the other, each at two D: lr, batch and width could follow either.
  std::vector<TidyRow> rows = study();
  std::erase_if(rows, [](const TidyRow& row) { return (row.P_w < 16) != (*row.N > 200'000); });
  for (TidyRow& row : rows) row.width = 32, row.weight_decay = row.P_w < 16 ? 0.1 : NAN;
  EXPECT_EQ(notes_on(rows),
            (std::vector<std::string>{
                "Every precision has its own lr (BF16: 0.02, W4: 0.01), and no N and D has two of "
                "the values: nothing tells its effect from that of the precision.",
                "Known at some precisions only: weight_decay (not at BF16); whether the rows are "
                "alike in it is not known."}));
  EXPECT_TRUE(notes_on(rows, {{"lr", "weight_decay"}, {}}).empty());
  EXPECT_TRUE(notes_on(study()).empty());

  // Another precision beside one of them tells nothing of BF16 either.
  std::vector<TidyRow> more = rows;
  for (const TidyRow& row : rows) {
    if (row.P_w < 16) more.push_back(row), more.back().P_w = 8;
  }
  EXPECT_EQ(notes_on(more, {{"weight_decay"}, {}}).at(0).substr(0, 62),
            "Every precision has its own lr (BF16: 0.02, W4: 0.01, W8: 0.01");

  std::erase_if(rows, [](const TidyRow& row) { return *row.D > 4'000'000; });
  EXPECT_TRUE(notes_on(rows, {{"weight_decay"}, {}}).empty()) << "one size each: N tells no more";
}

// Everywhere, also where it follows N: nobody makes a rule of it.
TEST(Factors, WhatIsNoRuleHasOneValueInATable) {
  std::vector<TidyRow> rows = study();
  for (TidyRow& row : rows) {
    if (*row.N > 200'000) row.extra_norm = "false";
  }
  rows.pop_back();
  EXPECT_EQ(refusal(rows),
            "t: rows differ in extra_norm (false: 3 rows, true: 4 rows); give --where "
            "extra_norm=true or --pool extra_norm");
  EXPECT_NE(refusal(with_copy_of(0, [](TidyRow& row) { row.D = 32'000'000, row.data_hash = "x"; }))
                .find("rows differ in data_hash (abc: 8 rows, x: 1 row);"),
            std::string::npos);
}

TEST(Factors, SeveralAreNamedTogether) {
  EXPECT_EQ(
      refusal(with_copy_of(0,
                           [](TidyRow& row) {
                             row.extra_norm = "false";
                             row.lr = 0.04;
                             row.weight_decay = 0;
                           })),
      "t: rows differ in extra_norm (false: 1 row, true: 8 rows); and, at the same N, D and "
      "precision, in lr (0.02: 1 row, 0.04: 1 row); give --where extra_norm=true --where lr=0.02 "
      "or --pool extra_norm,lr")
      << "a weight decay that only one row knows says nothing";
}

// Rows of other D than those that differ in the rate.
TEST(Factors, SharesOfARunAreNamedShortlyAndWithoutAPlace) {
  std::vector<TidyRow> rows = with_copy_of(0, [](TidyRow& row) { row.D = 32'000'000; });
  for (TidyRow& row : rows) row.run_fraction = row.D == 32'000'000 ? 0.247863247863 : 1;
  const std::string sentence = refusal(rows);
  EXPECT_NE(sentence.find("(0.2479: 1 row, 1: "), std::string::npos) << sentence;
  EXPECT_EQ(sentence.find("at the same N"), std::string::npos) << sentence;
}

TEST(Factors, PrecisionHasFactorsOfItsOwn) {
  const auto finer = [](TidyRow& row) { row.granularity_w = "group32"; };
  EXPECT_EQ(refusal(with_copy_of(0, finer)), "") << "of BF16 weights it means nothing";
  EXPECT_EQ(refusal(with_copy_of(1, finer)),
            "t: rows differ in granularity_w (channel: 1 row, group32: 1 row) at the same N, D and "
            "precision; give --where granularity_w=channel or --pool granularity_w");
  std::vector<TidyRow> rows = study();
  for (TidyRow& row : rows) {
    if (row.P_w < 16) row.P_q = 4;
  }
  EXPECT_EQ(refusal(rows), "") << "low bits may come with low bits of the queries";
  EXPECT_NE(refusal(with_copy_of(1, [](TidyRow& row) { row.P_q = 8; })).find("P_q (8: 1 row, 16"),
            std::string::npos);
  EXPECT_NE(refusal(with_copy_of(1, [](TidyRow& row) { row.format_w = "e2m1"; }))
                .find("format_w (e2m1: 1 row, int4: 1 row) at the same N, D and precision"),
            std::string::npos);
  for (const char* other : {"int4-e8m0", "mxfp4", "nvfp4"}) {  // of as many bits
    EXPECT_NE(
        refusal(with_copy_of(1, [&](TidyRow& row) { row.format_w = other; })).find("format_w"),
        std::string::npos)
        << other;
  }
  // With and without a rotation, a fitted range or a trust mask.
  for (const std::string options : {"+hadamard", "+hadamard32", "+clip", "+gauss", "+trust"}) {
    EXPECT_NE(refusal(with_copy_of(1, [&](TidyRow& row) { row.format_w = "int4" + options; }))
                  .find("format_w (int4: 1 row, int4" + options + ": 1 row) at the same N, D"),
              std::string::npos)
        << options;
  }
}

TEST(Factors, ASeedIsAReplicate) {
  EXPECT_EQ(refusal(with_copy_of(0, [](TidyRow& row) { row.seed = 2, row.loss += 0.01; })), "");
}

TEST(Factors, AnotherEngineIsNoted) {
  std::vector<TidyRow> rows = study();
  for (TidyRow& row : rows) row.engine = row.P_w < 16 ? "avx2" : "avx512";
  std::vector<std::string> notes;
  must_not_pool(factor_rows(rows), {}, "t", "", notes);
  EXPECT_EQ(notes, std::vector<std::string>{
                       "Pooled: rows differ in engine (avx2: 4 rows, avx512: 4 rows)."});
}

TEST(Factors, WhatIsPooledIsNoted) {
  const std::vector<TidyRow> rows = with_copy_of(0, [](TidyRow& row) { row.lr = 0.04; });
  std::vector<std::string> notes;
  must_not_pool(factor_rows(rows), {{"lr"}, {}}, "t", "", notes);
  EXPECT_EQ(notes, std::vector<std::string>{"Pooled: rows differ in lr (0.02: 1 row, 0.04: 1 row) "
                                            "at the same N, D and precision."});
  notes.clear();
  must_not_pool(factor_rows(rows), {{}, {"lr"}}, "t", "", notes);
  EXPECT_TRUE(notes.empty()) << "the law has an input for it";
}

TEST(Factors, OneValueHasSeveralSpellings) {
  const auto value = [](const char* factor, const char* field) {
    return factor_value(*find_factor(factor), field);
  };
  for (const char* yes : {"true", "True", "TRUE", "1", "yes"})
    EXPECT_EQ(value("extra_norm", yes), "true") << yes;
  for (const char* no : {"false", "False", "0", "no"})
    EXPECT_EQ(value("tied_head", no), "false") << no;
  for (const char* nothing : {"", " ", "NA", "n/a", "NaN", "nan", "none", "None", "null"}) {
    EXPECT_EQ(value("lr", nothing), "") << nothing;
    EXPECT_EQ(value("extra_norm", nothing), "") << nothing;
    EXPECT_EQ(value("data_hash", nothing), "") << nothing;
  }
  EXPECT_EQ(value("lr", " 1e-2"), "0.01");
  EXPECT_EQ(value("batch_tokens", "2M"), "2000000");
  EXPECT_EQ(value("lr", "1e-2 (Cosine)"), "1e-2 (cosine)");
  EXPECT_EQ(value("granularity_w", "per-token"), "token");
  EXPECT_EQ(value("granularity_a", "Per Tensor"), "tensor");
  EXPECT_EQ(value("optimizer", "AdamW"), "adamw");
  EXPECT_EQ(value("data_hash", "C4"), "C4");
  EXPECT_EQ(value("data_hash", "1"), "1");
}

// What is advised may be followed.
TEST(Factors, AnAdviceKeepsWhatIsCompared) {
  std::vector<TidyRow> rows = study();
  for (TidyRow& row : rows) row.extra_norm = row.P_w < 16 ? "true" : "false";
  EXPECT_EQ(
      refusal(rows),
      "t: rows differ in extra_norm (false: 4 rows, true: 4 rows); no value of it has rows of "
      "what is compared, such as BF16 and fewer bits at one size; give --pool extra_norm");

  rows = study();  // most rows have a value that no BF16 run has
  for (TidyRow row : study()) {
    if (row.P_w < 16)
      row.extra_norm = "false", row.seed = 2, rows.push_back(row), rows.push_back(row);
  }
  for (TidyRow& row : rows) {
    if (row.P_w < 16 && row.seed == 1 && *row.N > 200'000) row.extra_norm = "";
  }
  EXPECT_NE(refusal(rows).find("extra_norm (false: 8 rows, true: 6 rows, and 2 rows without it); "
                               "give --where extra_norm=true or"),
            std::string::npos)
      << refusal(rows);
}

TEST(Factors, AnAdviceNamesEverySpellingAndIsQuoted) {
  const auto refusal_of = [](const std::string& rows) {
    return error_of(
        [&] { read_table("N,D,P_w,loss,dataset,schedule\n" + rows, "u", TableOptions{}); });
  };
  EXPECT_NE(refusal_of("1e8,1e9,16,3,my data,\n1e8,1e9,4,3,my data,\n1e8,2e9,4,3,c4,\n")
                .find("give --where 'dataset=my data' or --pool dataset"),
            std::string::npos);
  EXPECT_NE(
      refusal_of("1e8,1e9,16,3,,Cosine\n1e8,1e9,4,3,,cosine\n1e8,2e9,4,3,,wsd\n")
          .find("schedule (cosine: 2 rows, wsd: 1 row); give --where schedule=Cosine,cosine or"),
      std::string::npos);
}

// Weights in BF16 have another format, which is no difference; a condition has to keep it.
TEST(Factors, AnAdviceOnFormatsKeepsBf16) {
  const std::string sentence =
      refusal(with_copy_of(1, [](TidyRow& row) { row.format_w = "e2m1"; }));
  EXPECT_NE(sentence.find("give --where 'format_w!=e2m1' or"), std::string::npos) << sentence;
}

// int2 and BF16 share a granularity, mxfp4 and nvfp4 do not.
TEST(Factors, AnAdviceLeavesOutOnlyWhatIsInTheWay) {
  std::vector<TidyRow> rows;
  for (const TidyRow& row : study()) {
    rows.push_back(row);
    if (row.P_w == 16) continue;
    rows.back().format_w = "mxfp4", rows.back().granularity_w = "group32";
    rows.push_back(rows.back());
    rows.back().format_w = "nvfp4", rows.back().granularity_w = "group16";
    rows.push_back(row);
    rows.back().P_w = 2, rows.back().format_w = "int2";
  }
  EXPECT_EQ(refusal(rows),
            "t: rows differ in format_w (mxfp4: 4 rows, nvfp4: 4 rows) at the same N, D and "
            "precision; give --where 'format_w!=nvfp4' or --pool format_w");
  for (TidyRow& row : rows) {
    if (row.format_w == "nvfp4") row.format_w = "mxfp4";
  }
  EXPECT_EQ(refusal(rows),
            "t: rows differ in granularity_w (group16: 4 rows, group32: 4 rows) at the same N, D "
            "and precision; give --where 'granularity_w!=group32' or --pool granularity_w");
}

TEST(Factors, ManyValuesAreCutShort) {
  std::vector<TidyRow> rows = study();
  for (int i = 0; i < 7; ++i) {
    rows.push_back(rows[0]);
    rows.back().lr = 1 + i;
  }
  EXPECT_NE(refusal(rows).find("4: 1 row, and 3 more values: 3 rows)"), std::string::npos)
      << refusal(rows);
}

// The runs of a directory, their CSV, and a table of someone else's.
TEST(Factors, EveryTableIsHeldToThem) {
  const std::vector<TidyRow> rows = with_copy_of(0, [](TidyRow& row) { row.lr = 0.04; });
  const std::string sentence =
      "rows differ in lr (0.02: 1 row, 0.04: 1 row) at the same N, D and precision; give --where "
      "lr=0.02 or --pool lr";
  EXPECT_EQ(error_of([&] { table_of(tidy_table(rows), "t", {}); }), "t: " + sentence);
  EXPECT_EQ(error_of([&] { read_table(tidy_to_csv(rows), "t", TableOptions{}); }),
            "t: " + sentence);
  EXPECT_EQ(table_of(tidy_table(rows), "t", {.where = {"lr<0.03"}}).runs.size(), 8u);
  TableOptions pool;
  pool.may_differ.pooled = {"lr"};
  EXPECT_EQ(table_of(tidy_table(rows), "t", pool).runs.size(), 9u);

  const auto read = [](const std::string& csv) {
    return error_of([&] { read_table(csv, "u", TableOptions{}); });
  };
  EXPECT_EQ(read("N,D,loss,lr,my_factor\n1e8,1e9,3,1e-2,a\n1e8,2e9,3,2e-2,b\n1e8,1e9,3.1,0.01,b\n"),
            "")
      << "other columns are not our business";
  EXPECT_EQ(read("N,D,loss,Learning Rate\n1e8,1e9,3,1e-2\n1e8,1e9,3.1,0.02\n"),
            "u: rows differ in lr (0.01: 1 row, 0.02: 1 row) at the same N, D and precision; give "
            "--where lr=0.01 or --pool lr");
  EXPECT_EQ(read("N,D,loss,dataset\n1e8,1e9,3,c4\n1e8,2e9,3.1,c4\n1e8,2e9,3.1,rpj\n"),
            "u: rows differ in dataset (c4: 2 rows, rpj: 1 row); give --where dataset=c4 or --pool "
            "dataset");
  EXPECT_EQ(read("N,D,loss,lr\n1e8,1e9,3,1e-2\n1e8,1e9,3.1,0.02\n1e8,1e9,3.2,\n"),
            "u: rows differ in lr (0.01: 1 row, 0.02: 1 row) at the same N, D and precision; give "
            "--where lr=0.01 or --pool lr");
  EXPECT_EQ(read("N,D,loss,precision,lr\n1e8,1e9,3,a,1\n1e8,1e9,3.1,b,1\n1e8,2e9,3.1,b,2\n"), "");
  // Planned runs have no results to pool.
  EXPECT_EQ(error_of([] {
              read_table("N,D,lr\n1e8,1e9,1\n1e8,1e9,2\n", "u", TableOptions{.measured = false});
            }),
            "");
}

// A cell of the study's first run, with settings as `bitlaw quantize` has by default.
TidyRow cell(double bits) {
  TidyRow row = study()[0];
  row.method = "gptq", row.P_post = bits, row.format_post = fmt::format("int{}", bits);
  row.delta = 0.1 / bits;
  row.evaluation_tokens = 131072, row.evaluation_hash = "e";
  row.calibration_tokens = 32768, row.calibration_hash = "c1", row.calibration_seed = 1;
  row.first_damping = 0.01;
  return row;
}

TEST(Factors, CellsDifferInHowTheyWereMade) {
  const auto refusal_of = [](double bits, const auto& change) {
    std::vector<TidyRow> rows = study();
    rows.push_back(cell(3));
    rows.push_back(cell(bits));
    change(rows.back());
    return refusal(rows);
  };
  EXPECT_EQ(refusal_of(4, [](TidyRow&) {}), "");
  EXPECT_EQ(
      refusal_of(3, [](TidyRow& row) { row.calibration_seed = 2, row.calibration_hash = "c2"; }),
      "")
      << "a replicate";
  for (const double bits : {3.0, 4.0}) {  // whatever else is as in the other cell
    EXPECT_EQ(
        refusal_of(
            bits, [](TidyRow& row) { row.evaluation_tokens = 100096, row.evaluation_hash = "e2"; }),
        "t: rows differ in evaluation_tokens (100096: 1 row, 131072: 1 row); give --where "
        "'evaluation_tokens!=131072' or --pool evaluation_tokens");
    EXPECT_NE(refusal_of(bits, [](TidyRow& row) { row.evaluation_hash = "e2"; })
                  .find("rows differ in evaluation_hash"),
              std::string::npos);
    EXPECT_NE(
        refusal_of(bits,
                   [](TidyRow& row) { row.calibration_tokens = 4096, row.calibration_hash = "c3"; })
            .find("rows differ in calibration_tokens (4096: 1 row, 32768: 1 row"),
        std::string::npos);
    EXPECT_NE(refusal_of(bits, [](TidyRow& row) { row.calibration_hash = "c3"; })
                  .find("rows differ in calibration_hash"),
              std::string::npos)
        << "other text of the same seed";
    EXPECT_NE(refusal_of(bits, [](TidyRow& row) { row.first_damping = 0.1; })
                  .find("rows differ in first_damping"),
              std::string::npos);
  }
}

// kumar sees bits alone.
TEST(Factors, DocumentedColumnsOfPrecisionAreFactors) {
  const auto read = [](const std::string& csv, const char* law) {
    TableOptions options;
    options.may_differ.modelled = modelled_factors(law_named(law));
    return error_of([&] { read_table(csv, "u", options); });
  };
  const std::string two_groups =
      "N,D,P_w,loss,training_group\n1e8,1e9,16,3,\n1e8,1e9,4,3.1,32\n1e8,1e9,4,3.2,128\n";
  EXPECT_EQ(read(two_groups, "kumar"),
            "u: rows differ in training_group (32: 1 row, 128: 1 row) at the same N, D and "
            "precision; give --where 'training_group!=128' or --pool training_group");
  EXPECT_EQ(read(two_groups, "chen-qat"), "") << "it has an input for groups";
  EXPECT_NE(read("N,D,P_w,loss,group_size\n1e8,1e9,4,3,32\n1e8,1e9,4,3,-1\n", "kumar")
                .find("training_group (-1: 1 row, 32: 1 row)"),
            std::string::npos);
  EXPECT_NE(read("N,D,P_w,loss,format\n1e8,1e9,16,3,bf16\n1e8,1e9,4,3,mxfp4\n1e8,1e9,4,3,nvfp4\n",
                 "kumar")
                .find("rows differ in format (mxfp4: 1 row, nvfp4: 1 row) at the same N, D and"),
            std::string::npos);
  EXPECT_NE(read("N,D,loss,precision\n1e8,1e9,3,bf16\n1e8,1e9,3,mxfp4\n1e8,1e9,3,nvfp4\n", "kumar")
                .find("rows differ in precision (mxfp4: 1 row, nvfp4: 1 row) at the same N, D"),
            std::string::npos);
  const std::string rotated =
      "N,D,P_w,P_a,loss,precision\n1e8,1e9,16,16,3,16\n1e8,1e9,4,4,3,W4A4\n"
      "1e8,1e9,4,4,3,W4A4-hadamard\n";
  EXPECT_NE(read(rotated, "kumar").find("rows differ in precision (W4A4: 1 row, W4A4-hadamard"),
            std::string::npos)
      << read(rotated, "kumar");
  EXPECT_EQ(read(rotated, "quest"), "") << "it has a constant for each class";
  EXPECT_EQ(
      read("N,D,loss,precision\n1e8,1e9,3,W4A16\n1e8,1e9,3.1,w4a16\n1e8,1e9,3,int4\n", "kumar"), "")
      << "names of one precision";
  const std::string backward =
      "N,D,P_w,loss,backward\n1e8,1e9,4,3,bf16\n1e8,1e9,4,3,fp4\n1e8,2e9,16,3,bf16\n";
  EXPECT_NE(read(backward, "kumar").find("rows differ in backward (BF16: 1 row, fp4: 1 row)"),
            std::string::npos)
      << read(backward, "kumar");
  EXPECT_EQ(read(backward, "quartet"), "");
}

TEST(Factors, SharesNearOneAreKnownByWhatTheyLeave) {
  std::vector<TidyRow> rows = study();
  for (TidyRow& row : rows) row.beta2 = row.P_w < 16 ? 0.99 : 0.999;
  EXPECT_NE(refusal(rows).find("rows differ in beta2 (0.99: 4 rows, 0.999: 4 rows) between"),
            std::string::npos);
  for (TidyRow& row : rows) row.beta2 = row.P_w < 16 ? 0.95 : 0.9501;
  EXPECT_EQ(refusal(rows), "");
}

// Formats and granularity are part of the precision; what goes with N or D passes for their effect.
TEST(Factors, AFormatThatGoesWithSizeIsNoted) {
  std::vector<TidyRow> rows = study();
  for (TidyRow& row : rows) {
    if (row.P_w < 16 && *row.N > 200'000) row.format_w = "mxfp4", row.granularity_w = "group32";
  }
  EXPECT_EQ(
      notes_on(rows),
      std::vector<std::string>{"Rows of the same bits differ in format_w (W4: int4, mxfp4), though "
                               "never at the same N and D: nothing tells its effect from that of N "
                               "and D."});
  EXPECT_TRUE(notes_on(rows, {{"format_w", "granularity_w"}, {}}).empty());
  for (TidyRow& row : rows) {
    row.format_w = row.P_w < 16 ? "int4" : "bf16";
    row.granularity_w = *row.D > 4'000'000 ? "channel" : "group32";
  }
  EXPECT_NE(notes_on(rows).at(0).find("granularity_w (W4: channel, group32)"), std::string::npos);
}

TEST(Factors, WhatIsKnownInSomeRowsOnlyIsNoted) {
  std::vector<TidyRow> rows = study();
  for (TidyRow& row : rows) {
    if (*row.N > 200'000) row.data_hash = "", row.extra_norm = "n/a";
  }
  EXPECT_EQ(notes_on(rows),
            std::vector<std::string>{"Known in some rows only: data_hash (4 of 8 rows), extra_norm "
                                     "(4 of 8 rows); whether the others are alike in it is not "
                                     "known."});
  rows = study();
  for (TidyRow& row : rows) row.schedule = *row.N > 200'000 ? "none" : "cosine";
  EXPECT_NE(refusal(rows).find("rows differ in schedule (cosine: 4 rows, none: 4 rows)"),
            std::string::npos)
      << "no schedule is a schedule";
}

TEST(Factors, UsualSettingsOfOtherProgramsAreFactors) {
  const auto read = [](const std::string& column, const std::string& a, const std::string& b) {
    return error_of([&] {
      read_table("N,D,loss," + column + "\n1e8,1e9,3," + a + "\n1e8,2e9,3.1," + b + "\n", "u",
                 TableOptions{});
    });
  };
  for (const char* column :
       {"tokenizer", "architecture", "activation", "hidden_act", "norm", "config.data.path",
        "config.data.name", "config.model.type", "config.tokenizer.name"})
    EXPECT_NE(read(column, "a", "b").find("u: rows differ in "), std::string::npos) << column;
  for (const char* column : {"dropout", "label_smoothing", "args.dropout"}) {
    EXPECT_NE(read(column, "0", "0.2").find("u: rows differ in "), std::string::npos) << column;
    EXPECT_EQ(read(column, "0.1", ".1"), "") << column;
  }
  EXPECT_EQ(read("my_note", "a", "b"), "");
}

TEST(Factors, OtherColumnsOfAFewWordsAreNamed) {
  const std::string csv =
      "N,D,loss,note,algo,id,x\n1e8,1e9,3,a,adam,r1,1\n1e8,2e9,3,a,adam,r2,2\n"
      "1e8,4e9,3,a,muon,r3,1\n1e8,8e9,3,a,muon,r4,2\n";
  TableOptions options;
  EXPECT_EQ(read_table(csv, "t", options).notes,
            std::vector<std::string>{
                "Not compared, because no factor has such a name: algo (adam, muon). If one may "
                "change a loss, --columns FACTOR=COLUMN says what it is."});
  options.where = {"algo=adam,muon"};
  EXPECT_TRUE(read_table(csv, "t", options).notes.empty()) << "somebody looked at it";
  options.where.clear();
  options.columns = parse_columns("optimizer=algo");
  EXPECT_NE(error_of([&] { read_table(csv, "t", options); }).find("rows differ in optimizer"),
            std::string::npos);
}

TEST(Factors, AListIsAValue) {
  const auto read = [](const std::string& first, const std::string& second) {
    return error_of([&] {
      read_table("[{\"N\":1e8,\"D\":1e9,\"loss\":3," + first +
                     "},{\"N\":1e8,\"D\":1e9,\"loss\":3.1," + second + "}]",
                 "u", TableOptions{});
    });
  };
  EXPECT_EQ(read(R"("dataset":["c4"])", R"("dataset":"c4")"), "");
  EXPECT_NE(read(R"("dataset":["c4"])", R"("dataset":["rpj"])").find("dataset (c4: 1 row, rpj"),
            std::string::npos);
  EXPECT_NE(read(R"("dataset":["c4","rpj"])", R"("dataset":["c4"])").find("rows differ in dataset"),
            std::string::npos);
  EXPECT_NE(read(R"("args":{"betas":[0.9,0.95]})", R"("args":{"betas":[0.9,0.99]})")
                .find("rows differ in betas ([0.9,0.95]: 1 row, [0.9,0.99]: 1 row)"),
            std::string::npos);
}

// Halfway through a long run the rate is another one than at the end of a short one, by a rule.
TEST(Factors, RulesAlongARunAreThoseOfTheWholeRun) {
  std::vector<TidyRow> along;
  for (TidyRow row : study()) {
    row.peak_lr = *row.D > 4'000'000 ? 0.02 : 0.01;
    row.run_fraction = 1;
    along.push_back(row);
    for (const int part : {2, 4}) {
      along.push_back(row);
      along.back().D = *row.D / part;
      along.back().run_fraction = 1.0 / part;
    }
  }
  EXPECT_EQ(refusal(along, {{"run_fraction"}, {}}), "");
  along[1].lr = 0.04;
  EXPECT_NE(refusal(along, {{"run_fraction"}, {}}).find("rows differ in lr"), std::string::npos);
}

TEST(Factors, ALawMayHaveAnInputForThem) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(modelled_factors(law_named("chinchilla")), Names{});
  EXPECT_EQ(modelled_factors(law_named("kumar")), Names{});
  EXPECT_EQ(modelled_factors(law_named("muennighoff")), (Names{"epochs", "unique_tokens"}));
  const std::string csv =
      "N,D,loss,unique_tokens\n1e8,4e9,3,4e9\n1e8,4e9,3.1,1e9\n1e8,8e9,2.9,1e9\n";
  EXPECT_NE(error_of([&] {
              read_table(csv, "u", TableOptions{});
            }).find("rows differ in unique_tokens (1000000000: 1 row, 4000000000: 1 row)"),
            std::string::npos);
  TableOptions options;
  options.may_differ.modelled = modelled_factors(law_named("muennighoff"));
  EXPECT_EQ(read_table(csv, "u", options).notes, Names{});
}

}  // namespace
}  // namespace bitlaw
