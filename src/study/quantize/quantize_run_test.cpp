#include "quantize/quantize_run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/file_lock.h"
#include "base/random.h"
#include "data/prepare.h"
#include "formats/named_recipe.h"
#include "model/checkpoint.h"
#include "ops/engine.h"
#include "quantize/grid_rows.h"
#include "quantize/planned_cells.h"
#include "record/kept_model.h"
#include "record/record_for_tests.h"
#include "record/result.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

Json rows_of(const fs::path& run, const PtqConfig& config, ThreadPool& pool,
             const PtqProgress& progress = {}) {
  Json rows = Json::array();
  for (const CellRow& row : quantize_run(run, config, pool, progress))
    rows.push_back(struct_to_json(row));
  return rows;
}

// A run directory as training leaves it, with a small random model, and its data set.
class QuantizeRun : public testing::Test {
 protected:
  static ModelConfig shape() {
    ModelConfig shape;
    shape.width = 16;
    shape.hidden = 48;
    shape.vocabulary = 257;
    shape.sequence = 32;
    return shape.resolved();
  }
  QuantizeRun()
      : place_(fs::path(testing::TempDir()) / ("quantize_run" + std::to_string(::getpid()))),
        run_(place_ / "runs/0123456789abcdef") {
    fs::remove_all(place_);
    PrepareConfig prepare;
    const std::vector<std::string> words{"precision", "scaling", "law", "of",  "small",
                                         "language",  "models",  "at",  "few", "bits"};
    std::string lines;
    for (uint64_t document = 0; document < 60; ++document) {
      std::string text;
      for (uint64_t i = 0; i < 60; ++i) {
        text += words[random_below(5, document, i, words.size())] + " ";
      }
      lines += dump_json(Json{{"text", text}}) + "\n";
    }
    write_file_atomically(place_ / "text/documents.jsonl", lines);
    prepare.from = {(place_ / "text").string()};
    prepare.to = (place_ / "data").string();
    prepare.tokenizer = "byte";
    prepare.validation_fraction = 0.4;
    data_hash_ = prepare_dataset(prepare).hash;
    make_run({}, RunStatus::kFinished);
    config_.bits = {3, 5};
    config_.calibration_tokens = 600;
    config_.calibration_seeds = {1};
    config_.evaluation_tokens = 2000;
  }
  ~QuantizeRun() override { fs::remove_all(place_); }

  void make_run(const RecipeConfig& given, RunStatus status) {
    const RecipeConfig recipe = spelled_out(given);
    const Model model(shape(), make_recipe(recipe));
    parameters_ = model.make_parameters();
    model.initialize(parameters_, 1);
    save_model(run_ / "checkpoints/final", model, parameters_);
    RunRecord record = trained_run_record(1000, recipe.weights);
    record.config["recipe"] = to_json(recipe);
    record.data.path = (place_ / "data").string();
    record.data.hash = data_hash_;
    write_named_run(run_, record);
    ResultRecord result{.status = status};
    if (status == RunStatus::kFinished) result.validation = Validation{};
    write_result(run_, result);
  }
  std::vector<std::string> cell_files() const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(run_ / "ptq", none)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
  void expect_error(const std::string& words) {
    ThreadPool pool(1);
    try {
      rows_of(run_, config_, pool);
      FAIL() << "expected: " << words;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
    EXPECT_TRUE(cell_files().empty());
  }

  fs::path place_, run_;
  std::string data_hash_;
  Parameters parameters_;
  PtqConfig config_;
};

Json without_seconds(Json rows) {
  for (Json& row : rows) row.erase("seconds");
  return rows;
}

TEST_F(QuantizeRun, QuantizesModelsAlongTheRunIfAskedTo) {
  ThreadPool pool(1);
  config_.methods = {"rtn"};
  const Model model(shape(), Recipe{});
  model.initialize(parameters_, 2);  // other weights than the final ones
  save_model(kept_checkpoint(run_, 500), model, parameters_);
  const Json final = rows_of(run_, config_, pool);
  ASSERT_EQ(final.size(), 2u);
  EXPECT_FALSE(final[0].contains("at_tokens"));

  const fs::path kept = kept_checkpoint(run_, 500);
  EXPECT_FALSE(is_checkpoint(kept)) << "though it has a config.json";
  EXPECT_FALSE(*planned_cells(kept, config_)[0].there) << "other weights";
  const Json along = rows_of(kept, config_, pool);
  ASSERT_EQ(along.size(), 2u);
  EXPECT_EQ(along[0]["at_tokens"], 500);
  EXPECT_EQ(along[0]["run"], run_.filename().string());
  EXPECT_NE(along[0]["delta"], final[0]["delta"]);
  EXPECT_EQ(cell_files().size(), 4u) << "all of them files of the run";
  EXPECT_TRUE(*planned_cells(kept, config_)[0].there);

  config_.along = true;
  const std::vector<PlannedCell> planned = planned_cells(run_, config_);
  ASSERT_EQ(planned.size(), 4u);
  EXPECT_FALSE(planned[1].at_tokens);
  EXPECT_EQ(planned[2].at_tokens, 500);
  double last = 0;
  const Json both =
      rows_of(run_, config_, pool,
              [&](double done, double total, const std::string&) { last = done / total; });
  EXPECT_EQ(last, 0) << "everything was there";
  ASSERT_EQ(both.size(), 4u);
  EXPECT_EQ(both[0], final[0]);
  EXPECT_EQ(both[3], along[1]);
}

// A diverged run has no final model, but it may have those before.
TEST_F(QuantizeRun, AKeptModelNeedsNoFinishedRun) {
  ThreadPool pool(1);
  config_.methods = {"rtn"};
  save_model(kept_checkpoint(run_, 500), Model(shape(), Recipe{}), parameters_);
  make_run({}, RunStatus::kDiverged);
  EXPECT_EQ(rows_of(kept_checkpoint(run_, 500), config_, pool).size(), 2u);
}

TEST_F(QuantizeRun, GivesARowAndAFilePerCell) {
  ThreadPool pool(2);
  config_.formats = {"e2m1"};
  config_.groups = {0, 8};
  config_.methods = {"rtn", "gptq", "awq"};
  double last_done = 0, total = 0;
  const Json rows =
      rows_of(run_, config_, pool, [&](double done, double all, const std::string& note) {
        EXPECT_EQ(done, last_done + 1);
        EXPECT_FALSE(note.empty());
        last_done = done;
        total = all;
      });
  ASSERT_EQ(rows.size(), 3u * 2 * 3);
  EXPECT_EQ(last_done, total);
  EXPECT_EQ(cell_files().size(), rows.size());
  for (const Json& row : rows) {
    EXPECT_EQ(row["run"], "0123456789abcdef");
    EXPECT_EQ(row["granularity"], row["group"] == 0 ? "channel" : "group8");
    EXPECT_EQ(row["tokens"], 2016);  // 63 windows of 32
    const bool calibrated = row["method"] != "rtn" && row["method"] != "rtn+float";
    EXPECT_EQ(row["calibration"].is_object(), calibrated);
    if (calibrated) {
      EXPECT_EQ(row["calibration"]["tokens"], 608);
    }
    EXPECT_EQ(row["clustered_by"], "document");
    EXPECT_GT(row["clusters"], 2);
    EXPECT_LT(row["clusters"], 63);
    EXPECT_EQ(row["baseline_loss_nats"], rows[0]["baseline_loss_nats"]);
    EXPECT_EQ(row["evaluation"], rows[0]["evaluation"]);
    // Sums of 2016 losses below 10 nats each in another order.
    EXPECT_NEAR(row["delta"].get<double>(),
                row["loss_nats"].get<double>() - row["baseline_loss_nats"].get<double>(),
                2 * 2016 * 0x1p-53 * 10);
    EXPECT_EQ(row["delta"], row["measured_delta"]);
    EXPECT_GT(row["standard_error"], 0);
    EXPECT_EQ(row["layers"].size(), 8u);
    EXPECT_GT(row["kl_nats"], 0);
    EXPECT_LT(row["same_top"], 1);
    EXPECT_GT(row["bits_per_byte"], 0);
    EXPECT_EQ(row["engine"], engine_name(Context()));
    EXPECT_EQ(row["damping"].is_null(), row["method"].get<std::string>().find("gptq") != 0);
    EXPECT_EQ(row["rtn_delta"].is_null(), !calibrated);
    for (const Json& layer : row["layers"]) {
      EXPECT_GT(layer["relative_error"], 0);
      EXPECT_EQ(layer["error"].is_null(), !calibrated);
      EXPECT_EQ(layer["rtn_error"].is_null(), !calibrated);
    }
    EXPECT_EQ(row["flagged"], !row["flags"].empty());
  }
  EXPECT_EQ(rows[2]["format"], "e2m1");
  EXPECT_EQ(rows[2]["bits"], 4);
}

TEST_F(QuantizeRun, FinishedCellsAreNotComputedAgain) {
  ThreadPool pool(1);
  const Json rows = rows_of(run_, config_, pool);
  int calls = 0;
  const PtqProgress count = [&](double, double, const std::string&) { ++calls; };
  EXPECT_EQ(rows_of(run_, config_, pool, count), rows);  // seconds too: read back
  EXPECT_EQ(calls, 0);

  const std::vector<std::string> files = cell_files();
  ASSERT_EQ(files.size(), 4u);
  fs::remove(run_ / "ptq" / files[1]);
  EXPECT_EQ(without_seconds(rows_of(run_, config_, pool, count)), without_seconds(rows));
  EXPECT_GE(calls, 2);  // baseline, one cell, and its calibration if it has one
  EXPECT_LE(calls, 3);
  EXPECT_EQ(cell_files().size(), 4u);

  // Nothing is written, so nobody is in the way.
  FileLock held;
  ASSERT_TRUE(held.take(cells_lock(run_)));
  EXPECT_EQ(without_seconds(rows_of(run_, config_, pool)), without_seconds(rows));
}

TEST_F(QuantizeRun, OneProcessAtATimeComputesItsCells) {
  ThreadPool pool(1);
  {
    FileLock held;
    ASSERT_TRUE(held.take(cells_lock(run_)));
    EXPECT_THROW(rows_of(run_, config_, pool), Busy);
    expect_error("another process is quantizing this run");
  }
  EXPECT_EQ(rows_of(run_, config_, pool).size(), 4u);
}

// It finished between the look at the files and the lock.
TEST_F(QuantizeRun, WhatAnotherProcessFinishedIsTakenUp) {
  ThreadPool pool(1);
  config_.methods = {"rtn"};
  const Json rows = rows_of(run_, config_, pool);
  const fs::path there = run_ / "ptq" / cell_files()[0], away = place_ / "away.json";
  const CellRecord record = read_cell(there);
  fs::rename(there, away);
  GridRows grid(run_, "0123456789abcdef");
  grid.add(ptq_cells(config_)[0], record.key);
  ASSERT_EQ(grid.missing().size(), 1u);
  fs::rename(away, there);
  grid.claim();
  EXPECT_TRUE(grid.missing().empty());
}

TEST_F(QuantizeRun, OtherTextIsAnotherCell) {
  ThreadPool pool(1);
  const Json rows = rows_of(run_, config_, pool);
  int calls = 0;
  const PtqProgress count = [&](double, double, const std::string&) { ++calls; };

  // Another calibration is another cell of the methods that are calibrated.
  config_.calibration_seeds = {2};
  const Json other = rows_of(run_, config_, pool);
  EXPECT_EQ(cell_files().size(), 6u);
  // Row 0 may be the one that was computed again above: its time differs.
  EXPECT_EQ(without_seconds(other)[0], without_seconds(rows)[0]);
  EXPECT_NE(other[2]["layers"], rows[2]["layers"]);

  // Both are there: their spread is computed, not they.
  config_.calibration_seeds = {1, 2};
  calls = 0;
  const Json both = rows_of(run_, config_, pool, count);
  EXPECT_EQ(calls, 0);
  ASSERT_EQ(both.size(), 6u);
  EXPECT_EQ(both[2]["spread"]["seeds"], 2);
  EXPECT_NEAR(
      both[2]["spread"]["mean"].get<double>(),
      (both[2]["measured_delta"].get<double>() + both[3]["measured_delta"].get<double>()) / 2,
      1e-12);
}

// Calibrations of all the text differ in its order alone, which is no spread.
TEST_F(QuantizeRun, CalibrationsOfAllTheTextHaveNoSpread) {
  ThreadPool pool(1);
  config_.calibration_seeds = {1, 2};
  config_.calibration_tokens = 1'000'000'000;
  const Json rows = rows_of(run_, config_, pool);
  ASSERT_EQ(rows.size(), 6u);
  for (const Json& row : rows) EXPECT_FALSE(row.contains("spread"));
}

TEST_F(QuantizeRun, RoundsWhatTheModelIsUsedWithAsWell) {
  for (const char* shared : {"sequence", "batch"}) {
    SCOPED_TRACE(shared);
    fs::remove_all(run_ / "ptq");
    make_run({}, RunStatus::kFinished);
    ThreadPool pool(2);
    config_.activations_granularity = config_.kv_granularity = shared;
    config_.methods = {"none", "rtn"};
    config_.bits = {4};
    config_.activations = {"trained", "4"};
    config_.kv = {"trained", "3"};
    const Json rows = rows_of(run_, config_, pool);
    ASSERT_EQ(rows.size(), 8u);
    EXPECT_EQ(rows[0]["method"], "none");
    EXPECT_EQ(rows[0]["measured_delta"], 0);
    EXPECT_EQ(rows[0]["kl_nats"], 0);
    EXPECT_EQ(rows[0]["same_top"], 1);
    for (size_t i = 1; i < rows.size(); ++i) EXPECT_NE(rows[i]["measured_delta"], 0) << i;
    EXPECT_EQ(rows[7]["method"], "rtn+a4+kv3");

    // The same model as one that evaluates with these activations, keys and values throughout.
    RecipeConfig low;
    low.weights = low.activations = "4";
    low.kv = "3";
    low.activations_granularity = low.kv_granularity = shared;
    fs::remove_all(run_ / "ptq");
    make_run(low, RunStatus::kFinished);
    config_.methods = {"none"};
    config_.activations = config_.kv = {"trained"};
    EXPECT_EQ(rows_of(run_, config_, pool)[0]["loss_nats"], rows[7]["loss_nats"]);
  }
}

TEST_F(QuantizeRun, ThreadsDoNotChangeABit) {
  ThreadPool one(1), three(3);
  const Json rows = rows_of(run_, config_, one);
  fs::remove_all(run_ / "ptq");
  EXPECT_EQ(without_seconds(rows_of(run_, config_, three)), without_seconds(rows));
}

TEST_F(QuantizeRun, NoFewerBitsThanInTrainingIsNoDifferenceByDefinition) {
  ThreadPool pool(1);
  RecipeConfig recipe;
  recipe.weights = "5";
  recipe.activations = "8";
  make_run(recipe, RunStatus::kFinished);
  config_.methods = {"rtn"};
  config_.bits = {3, 5, 8};
  const Json rows = rows_of(run_, config_, pool);
  EXPECT_EQ(rows[0]["delta"], rows[0]["measured_delta"]);
  EXPECT_NE(rows[0]["delta"], 0);
  EXPECT_EQ(rows[1]["delta"], 0);
  EXPECT_EQ(rows[1]["measured_delta"], 0);  // the very weights it was trained with
  EXPECT_EQ(rows[2]["delta"], 0);
  EXPECT_EQ(rows[2]["standard_error"], 0);
  EXPECT_NE(rows[2]["measured_delta"], 0);
}

TEST_F(QuantizeRun, ARunInABlockFormatIsQuantizedAsAnyOther) {
  ThreadPool pool(1);
  RecipeConfig recipe;
  recipe.weights = "mxfp4";
  recipe.activations = "nvfp4";
  recipe.kv = "mxfp8-e4m3";
  make_run(recipe, RunStatus::kFinished);
  config_.methods = {"none", "rtn"};
  config_.bits = {3};
  config_.formats = {"mxfp4"};
  config_.activations = {"trained", "mxint8"};
  const Json rows = rows_of(run_, config_, pool);
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_EQ(rows[0]["measured_delta"], 0);
  EXPECT_NE(rows[1]["measured_delta"], 0) << rows[1]["method"];
  for (const Json& row : rows) {
    const bool as_trained = row["method"] == "rtn+mx" || row["method"] == "none";
    EXPECT_EQ(row["delta"] == 0, as_trained) << row;
  }

  // The weights are those of training, but sums start again with each block.
  recipe.activations = recipe.kv = recipe.queries = "32";
  fs::remove_all(run_ / "ptq");
  make_run(recipe, RunStatus::kFinished);
  config_.bits.clear();
  config_.methods = {"rtn"};
  config_.activations = {"trained"};
  EXPECT_NEAR(rows_of(run_, config_, pool)[0]["measured_delta"].get<double>(), 0, 1e-6);
}

TEST_F(QuantizeRun, SaysWhatIsWrongAndWritesNothing) {
  config_.bits = {1};
  expect_error("bits = 1");
  config_.bits = {4};

  config_.data = (place_ / "text").string();
  expect_error("text");
  config_.data.clear();

  make_run({}, RunStatus::kDiverged);
  expect_error("diverged");
  make_run({}, RunStatus::kFinished);
  fs::remove(run_ / "result.json");
  expect_error("no result yet");
  make_run({}, RunStatus::kFinished);

  const std::string weights = read_file(run_ / "checkpoints/final/model.safetensors");
  write_file_atomically(run_ / "checkpoints/final/model.safetensors",
                        std::string_view(weights).substr(0, weights.size() / 2));
  expect_error("model.safetensors");
  fs::remove_all(run_ / "checkpoints");
  expect_error("checkpoints/final");

  make_run({}, RunStatus::kFinished);
  data_hash_ = "00";
  make_run({}, RunStatus::kFinished);
  expect_error("is not the data set that");

  fs::rename(place_ / "data", place_ / "elsewhere");
  expect_error("--data");

  write_file_atomically(run_ / "run.json", "{\"config\": {}}");
  expect_error("run.json: model is missing");
  write_file_atomically(run_ / "run.json", "{");
  expect_error("run.json");
  fs::remove(run_ / "run.json");
  expect_error("is not a run");
}

TEST_F(QuantizeRun, RefusesWeightsThatAreNotFinite) {
  parameters_.tensors[2].f32()[3] = std::numeric_limits<float>::quiet_NaN();
  save_model(run_ / "checkpoints/final", Model(shape(), Recipe()), parameters_);
  expect_error("not finite");
}

TEST_F(QuantizeRun, SaysWhenTheTextIsTooShort) {
  fs::remove_all(place_ / "data");
  fs::remove_all(place_ / "text");
  write_file_atomically(place_ / "text/a.txt", "one two");
  write_file_atomically(place_ / "text/b.txt", "three");
  PrepareConfig prepare;
  prepare.from = {(place_ / "text").string()};
  prepare.to = (place_ / "data").string();
  prepare.tokenizer = "byte";
  data_hash_ = prepare_dataset(prepare).hash;
  make_run({}, RunStatus::kFinished);
  expect_error("33");  // tokens of one window
}

}  // namespace
}  // namespace bitlaw
