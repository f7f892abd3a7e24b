#include "quantize/quantize_checkpoint.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "hf/fake_checkpoint_for_tests.h"
#include "quantize/checkpoint_pass.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kT = 16;

TextWindows windows(int64_t count, uint64_t seed) {
  TextWindows out;
  out.sequence = kT;
  for (int64_t i = 0; i < count * (kT + 1); ++i) {
    out.tokens.push_back(static_cast<int32_t>(random_below(seed, 0, static_cast<uint64_t>(i), 61)));
  }
  for (int64_t w = 0; w < count; ++w) out.cluster.push_back(w / 2);
  out.clustered_by = "document";
  out.bytes_per_token = 3.5;
  return out;
}

class QuantizeCheckpoint : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::path(testing::TempDir()) /
                 (std::string("bitlaw_quantize_checkpoint_") +
                  testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(directory_);
    study_ = {directory_ / "checkpoint", directory_ / "record", "tiny"};
    text_ = {windows(8, 1), windows(12, 2)};
    config_.methods = {"rtn", "gptq", "awq+clip", "none"};
    config_.bits = {3, 4};
    config_.formats = {"mxfp4"};
    config_.groups = {0, 16};
    config_.kv = {"trained", "4"};
    config_.kv_granularity = "token";
    config_.calibration_tokens = 5 * kT;
    config_.calibration_seeds = {1, 2};
    hf::FakeCheckpoint(hf::fake_config("qwen2", {{"num_key_value_heads", 2}}))
        .write(study_.checkpoint, 2);
  }
  void TearDown() override { fs::remove_all(directory_); }

  Json rows(int threads = 2) const {
    ThreadPool pool(threads);
    Json rows = Json::array();
    for (const CellRow& row : quantize_checkpoint(study_, text_, config_, pool))
      rows.push_back(struct_to_json(row));
    return rows;
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(study_.record / "ptq"))
      paths.push_back(entry.path());
    return paths;
  }

  fs::path directory_;
  CheckpointStudy study_;
  CheckpointText text_;
  PtqConfig config_;
};

Json without_seconds(Json rows) {
  for (Json& row : rows) row.erase("seconds");
  return rows;
}

TEST_F(QuantizeCheckpoint, EveryCellOfTheGridHasItsRowAndItsFile) {
  const Json answer = rows();
  const std::vector<PtqCell> cells = ptq_cells(config_);
  ASSERT_EQ(answer.size(), cells.size());
  EXPECT_EQ(files().size(), cells.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    const Json& row = answer[i];
    EXPECT_EQ(row["run"], "tiny");
    EXPECT_EQ(row["method"], cells[i].label());
    EXPECT_EQ(row["tokens"], 8 * kT);
    EXPECT_EQ(row["clusters"], 4);
    EXPECT_EQ(row["delta"], row["measured_delta"]);
    EXPECT_NEAR(row["delta"].get<double>(),
                row["loss_nats"].get<double>() - row["baseline_loss_nats"].get<double>(), 1e-12);
    EXPECT_NEAR(row["bits_per_byte"].get<double>(),
                row["loss_nats"].get<double>() / (3.5 * std::log(2.0)), 1e-12);
    EXPECT_GE(row["kl_nats"].get<double>(), 0);
    const bool rounded = cells[i].rounds_weights();
    EXPECT_EQ(row["layers"].size(), rounded ? 14u : 0u);  // 2 layers of 7 matrices
    EXPECT_EQ(row["calibration"].is_object(), cells[i].calibrated());
    EXPECT_EQ(row["rtn_delta"].is_number(), cells[i].calibrated());
    EXPECT_EQ(row.contains("spread"), cells[i].calibrated());
    if (!rounded && !cells[i].kv) {
      EXPECT_EQ(row["delta"], 0.0);
    }
  }
}

TEST_F(QuantizeCheckpoint, TheSameRowsForAnyThreadsAndBudget) {
  const Json once = without_seconds(rows());
  fs::remove_all(study_.record);
  study_.memory_budget = 0;  // a pass for every cell
  EXPECT_EQ(without_seconds(rows(3)), once);
}

TEST_F(QuantizeCheckpoint, WhatIsThereIsNotComputedAgain) {
  config_.methods = {"rtn", "gptq"};
  const Json first = rows();
  EXPECT_EQ(rows(), first);  // down to the seconds
  // A killed call: some files are missing.
  const std::vector<fs::path> paths = files();
  fs::remove(paths[1]);
  fs::remove(paths[4]);
  const Json second = rows();
  EXPECT_EQ(without_seconds(second), without_seconds(first));
  size_t computed = 0;
  for (size_t i = 0; i < first.size(); ++i) computed += first[i]["seconds"] != second[i]["seconds"];
  EXPECT_EQ(computed, 2u);
  // A cell requested alone has the same file as in the grid.
  config_.bits = {3};
  config_.formats = {};
  rows();
  EXPECT_EQ(files().size(), paths.size());

  write_file_atomically(paths[0], "{");
  config_.bits = {3, 4};
  config_.formats = {"mxfp4"};
  EXPECT_THROW(rows(), Error);
}

TEST_F(QuantizeCheckpoint, OtherWeightsConfigurationOrTextAreOtherCells) {
  config_.methods = {"rtn"};
  config_.bits = {4};
  config_.formats = {};
  config_.groups = {0};
  config_.kv = {"trained"};
  rows();
  EXPECT_EQ(files().size(), 1u);
  text_.evaluation.tokens[3] ^= 1;
  rows();
  EXPECT_EQ(files().size(), 2u);
  hf::FakeCheckpoint(hf::fake_config("qwen2", {{"num_key_value_heads", 2}}), 2)
      .write(study_.checkpoint, 2);
  rows();
  EXPECT_EQ(files().size(), 3u);
  hf::FakeCheckpoint(
      hf::fake_config("qwen2", {{"num_key_value_heads", 2}, {"rope_theta", 500000.0}}), 2)
      .write(study_.checkpoint, 2);
  rows();
  EXPECT_EQ(files().size(), 4u);
}

TEST_F(QuantizeCheckpoint, BadInputWritesNothing) {
  const auto expect_refused = [&] {
    EXPECT_THROW(rows(), Error);
    EXPECT_FALSE(fs::exists(study_.record));
  };
  text_.calibration.tokens[0] = 61;  // beyond the vocabulary
  config_.calibration_tokens = 12 * kT;
  expect_refused();
  text_.calibration = windows(12, 2);
  text_.evaluation.tokens.back() = -1;
  expect_refused();
  text_.evaluation = windows(8, 1);

  const float nan = std::nanf("");
  hf::FakeCheckpoint broken(hf::fake_config("qwen2", {{"num_key_value_heads", 2}}));
  broken.tensors.at("model.layers.1.mlp.down_proj.weight")
      .bytes.replace(8, 4, reinterpret_cast<const char*>(&nan), 4);
  broken.write(study_.checkpoint, 2);
  expect_refused();
  hf::FakeCheckpoint(
      hf::fake_config("qwen2", {{"num_key_value_heads", 2}, {"max_position_embeddings", 8}}))
      .write(study_.checkpoint, 2);
  expect_refused();
}

}  // namespace
}  // namespace bitlaw
