#include "reproduce/reproduce.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/file.h"
#include "base/random.h"
#include "base/test_folder.h"
#include "data/prepare.h"
#include "record/published_records.h"
#include "record/tidy_row.h"
#include "runs/index.h"
#include "train/interrupt.h"
#include "train/run.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// A run of 20 steps on random words.
class Reproduce : public testing::Test {
 protected:
  Reproduce() {
    std::string lines;
    for (uint64_t document = 0; document < 20; ++document) {
      std::string text;
      for (uint64_t letter = 0; letter < 1000; ++letter)
        text += "abcdefg "[random_below(5, document, letter, 8)];
      lines += dump_json(Json{{"text", text}}) + "\n";
    }
    folder_.write("text/documents.jsonl", lines);
    PrepareConfig prepare;
    prepare.from = {(folder_ / "text").string()};
    prepare.to = (folder_ / "data").string();
    prepare.tokenizer = "byte";
    prepare.validation_fraction = 0.2;
    prepare_dataset(prepare);
    config_.data.path = prepare.to;
    config_.model.width = 32;
    config_.model.heads = 2;
    config_.model.sequence = 32;
    config_.recipe.weights = "4";
    config_.train.batch_tokens = 256;
    config_.train.tokens = 20 * 256;
    clear_stop_request();
  }
  fs::path made() {
    RunOptions options;
    options.directory = (folder_ / "runs").string();
    options.threads = 1;
    options.quiet = true;
    return train(config_, options).directory;
  }
  ReproduceOptions options(const std::string& what) const {
    return {.what = what, .threads = 2, .quiet = true};
  }
  Reproduction reproduced(const std::string& what) const { return reproduce(options(what)); }

  // As another program would have written it.
  static void change_result(const fs::path& run, const std::function<void(ResultRecord&)>& change) {
    ResultRecord result = read_result(run).value();
    change(result);
    write_result(run, result);
  }

  TestFolder folder_;
  TrainConfig config_;
};

TEST_F(Reproduce, ARunComesOutAgainBitForBit) {
  const fs::path run = made();
  const Reproduction out = reproduced(run.string());
  EXPECT_TRUE(out.exact) << out.why_not;
  EXPECT_TRUE(out.reproduced);
  EXPECT_TRUE(out.differences.empty());
  EXPECT_EQ(out.weights_hash, out.weights_hash_again);
  EXPECT_FALSE(out.weights_hash.empty());
  ASSERT_FALSE(out.numbers.empty());
  EXPECT_EQ(out.numbers[0].recorded, out.numbers[0].again);
  EXPECT_GT(out.flops, 0);
  EXPECT_EQ(
      fs::exists(fs::temp_directory_path() / ("bitlaw-reproduce-" + std::to_string(::getpid()))),
      false)
      << "nothing is left";
}

TEST_F(Reproduce, ALastBitIsADifferenceOnTheSameEngine) {
  const fs::path run = made();
  change_result(run, [](ResultRecord& result) {
    result.validation->loss_nats = std::nextafter(result.validation->loss_nats, 10.0);
  });
  const Reproduction out = reproduced(run.string());
  EXPECT_TRUE(out.exact);
  EXPECT_FALSE(out.reproduced);
  ASSERT_EQ(out.differences.size(), 1u);
  EXPECT_EQ(out.differences[0].find("validation loss: "), 0u);
}

TEST_F(Reproduce, ElsewhereTheLossMustBeWithinTheBound) {
  const fs::path run = made();
  change_result(run, [](ResultRecord& result) {
    result.training->engines = {"abacus"};
    result.validation->loss_nats += 0.05;
    result.training->weights_hash = "another";
  });
  const Reproduction out = reproduced(run.string());
  EXPECT_FALSE(out.exact);
  EXPECT_NE(out.why_not.find("the engine abacus computed the run, and this is "), out.why_not.npos);
  EXPECT_EQ(out.bound_nats, 0.08);
  EXPECT_TRUE(out.reproduced);
  ReproduceOptions narrow = options(run.string());
  narrow.within = 0.01;
  const Reproduction other = reproduce(narrow);
  EXPECT_FALSE(other.reproduced);
  ASSERT_EQ(other.differences.size(), 1u);
  EXPECT_NE(other.differences[0].find("differ by more than 0.01"), std::string::npos);
}

TEST_F(Reproduce, ARowOfATableIsHeldAgainstItsRun) {
  const fs::path run = made();
  std::vector<TidyRow> rows = RunIndex(folder_ / "runs").select({});
  ASSERT_EQ(rows.size(), 1u);
  rows.push_back(rows[0]);
  rows[1].loss += 0.5;
  rows.push_back(rows[0]);
  rows[2].method = "rtn";
  rows.push_back(rows[0]);
  rows[3].run = "absent";
  const std::string table = (folder_ / "runs/table.csv").string();
  write_file_atomically(table, tidy_to_csv(rows));
  EXPECT_TRUE(reproduced(table + ":1").reproduced);
  const Reproduction wrong = reproduced(table + ":2");
  EXPECT_FALSE(wrong.reproduced);
  ASSERT_EQ(wrong.differences.size(), 1u);
  EXPECT_EQ(wrong.differences[0].find("loss in the table: "), 0u);
  const auto refused = [&](const std::string& what) { return error_of([&] { reproduced(what); }); };
  std::vector<TidyRow> changed = {rows[0], rows[0]};
  changed[0].P_w = 8;
  changed[1].D = 999'936;
  const std::string other = (folder_ / "runs/changed.csv").string();
  write_file_atomically(other, tidy_to_csv(changed));
  EXPECT_NE(refused(other + ":1").find("has P_w 8.0, but the record of run"), std::string::npos);
  EXPECT_NE(refused(other + ":2").find("has D 999936, but the record of run"), std::string::npos);
  EXPECT_NE(refused(table + ":3").find("row 3: is a cell of post-training quantization (rtn)"),
            std::string::npos);
  EXPECT_NE(refused(table + ":4").find("--runs"), std::string::npos);
  EXPECT_NE(refused(table + ":5").find("has 4 rows, so there is no row 5"), std::string::npos);
  EXPECT_NE(refused(table + ":0").find("the first one is row 1"), std::string::npos);
}

TEST_F(Reproduce, ARowIsMadeAgainFromThePublishedRecords) {
  const fs::path run = made();
  folder_.write("results/study.csv", tidy_to_csv(read_run_rows(run).rows));
  folder_.write("results/study.runs.jsonl", published_line(run) + "\n");
  fs::remove_all(folder_ / "runs");
  const Reproduction out = reproduced((folder_ / "results/study.csv:1").string());
  EXPECT_TRUE(out.exact) << out.why_not;
  EXPECT_TRUE(out.reproduced);
  EXPECT_FALSE(out.weights_hash.empty());
  EXPECT_EQ(out.weights_hash, out.weights_hash_again);
}

TEST_F(Reproduce, WhatCannotBeMadeAgainIsOneSentence) {
  const fs::path run = made();
  const auto refused = [](const ReproduceOptions& how) {
    return error_of([&] { reproduce(how); });
  };
  ReproduceOptions negative = options(run.string());
  negative.within = -1;
  EXPECT_NE(refused(negative).find("within -1"), std::string::npos);
  folder_.write("table.csv", "run,loss\n");
  EXPECT_NE(refused(options((folder_ / "table.csv").string())).find("table.csv:1"),
            std::string::npos);
  ReproduceOptions into_itself = options(run.string());
  into_itself.directory = (folder_ / "runs").string();
  EXPECT_NE(refused(into_itself).find("the run itself is there"), std::string::npos);
  EXPECT_NE(refused(options((folder_ / "text").string())).find("is not a run"), std::string::npos);

  PrepareConfig prepare;
  prepare.from = {(folder_ / "text").string()};
  prepare.to = (folder_ / "other").string();
  prepare.tokenizer = "byte";
  prepare.validation_fraction = 0.4;
  prepare_dataset(prepare);
  ReproduceOptions elsewhere = options(run.string());
  elsewhere.data = prepare.to;
  EXPECT_NE(refused(elsewhere).find("is not the data set of "), std::string::npos);
  fs::remove(run / "result.json");
  EXPECT_NE(refused(options(run.string())).find("has no result yet"), std::string::npos);
}

TEST_F(Reproduce, ARunThatDivergedDivergesAgain) {
  config_.train.lr = 1e3;
  const Reproduction out = reproduced(made().string());
  EXPECT_TRUE(out.reproduced);
  EXPECT_TRUE(out.weights_hash.empty());
}

TEST_F(Reproduce, AnInterruptedOneGoesOnWhereItIsKept) {
  const fs::path run = made();
  ReproduceOptions keep = options(run.string());
  keep.directory = (folder_ / "again").string();
  request_stop();
  EXPECT_TRUE(reproduce(keep).interrupted);
  clear_stop_request();
  EXPECT_TRUE(reproduce(keep).reproduced);
  const std::string again = error_of([&] { reproduce(keep); });
  EXPECT_NE(again.find("nothing would be made again"), std::string::npos) << again;
  EXPECT_TRUE(fs::exists(folder_ / "again" / run.filename().string() / "result.json"));
}

}  // namespace
}  // namespace bitlaw
