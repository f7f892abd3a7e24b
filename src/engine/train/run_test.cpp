// Whole runs on a small synthetic text. Kills and memory need separate processes: this program
// started again as `train_test --train-child REQUEST.json` carries out one run and nothing else,
// and with --plan-child writes what such a run will take to REQUEST.json.plan.
#include "train/run.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <thread>

#include "base/file.h"
#include "data/loader.h"
#include "model/checkpoint.h"
#include "ops/engine.h"
#include "train/interrupt.h"
#include "train/kept_checkpoints.h"
#include "train/memory.h"
#include "train/repetition.h"
#include "train/run_directory.h"
#include "train/state_for_tests.h"
#include "train/synthetic_text.h"

extern char** environ;

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

TrainRequest small_request(const fs::path& directory) {
  TrainRequest request;
  TrainConfig& config = request.config;
  config.model.width = 32;
  config.model.layers = 2;
  config.model.heads = 2;
  config.model.sequence = 32;
  config.model.vocabulary = kSyntheticVocabulary;
  config.recipe.weights = "4";
  config.data.path = (directory / "data").string();
  config.train.batch_tokens = 256;
  config.train.tokens = 60 * config.train.batch_tokens;
  request.run.directory = (directory / "runs").string();
  request.run.threads = 2;
  request.run.checkpoint_seconds = 0;
  request.run.log_steps = 7;  // does not divide the steps between saved states
  request.run.quiet = true;
  return request;
}

int child(const std::string& mode, const std::string& request_file) {
  try {
    TrainRequest request;
    fill(request, parse_json(read_file(request_file), request_file), request_file);
    if (mode == "--plan-child") {
      const TrainConfig& config = request.config;
      const DatasetInfo data =
          Dataset::open(config.data.path, static_cast<int>(config.model.vocabulary)).info();
      const RunPlan plan =
          plan_run(resolve(config, data), data, static_cast<int>(request.run.threads));
      write_file_atomically(request_file + ".plan", dump_json(to_json(plan)));
      return 0;
    }
    install_stop_handlers();
    const RunOutcome outcome = train(request.config, request.run);
    return outcome.status == RunStatus::kInterrupted ? kInterruptedExitCode : 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

class Child {
 public:
  explicit Child(const TrainRequest& request, const char* mode = "--train-child") {
    const fs::path file = request_file(request);
    write_file_atomically(file, dump_json(to_json(request)));
    const std::string name = file.string();
    const char* arguments[] = {"train_test", mode, name.c_str(), nullptr};
    const int error = ::posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr,
                                    const_cast<char* const*>(arguments), environ);
    EXPECT_EQ(error, 0);
  }
  ~Child() {
    if (pid_ > 0) kill_and_wait(SIGKILL);
  }
  static fs::path request_file(const TrainRequest& request) {
    return fs::path(request.run.directory).parent_path() / "request.json";
  }
  bool ended() {  // and then exit_code() is known
    if (pid_ <= 0) return true;
    if (::waitpid(pid_, &status_, WNOHANG) != pid_) return false;
    pid_ = -1;
    return true;
  }
  int wait() {
    if (pid_ > 0) ::waitpid(pid_, &status_, 0);
    pid_ = -1;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  }
  void kill(int signal) const { ::kill(pid_, signal); }
  int kill_and_wait(int signal) {
    kill(signal);
    return wait();
  }

 private:
  pid_t pid_ = -1;
  int status_ = 0;
};

int64_t lines_of(const fs::path& file) {
  std::ifstream in(file);
  int64_t count = 0;
  for (std::string line; std::getline(in, line);) ++count;
  return count;
}

std::vector<Json> metrics_of(const fs::path& run) {
  std::vector<Json> lines;
  std::ifstream in(run / "metrics.jsonl");
  for (std::string line; std::getline(in, line);)
    lines.push_back(parse_json(line, "metrics.jsonl"));
  return lines;
}

std::string weights_of(const fs::path& run) {
  return read_file(run / "checkpoints/final/model.safetensors");
}

struct StopAtStep : MetricsSink {
  explicit StopAtStep(int64_t at) : step(at) {}
  int64_t step;
  void record(const StepMetrics& metrics) override {
    if (metrics.step >= step) request_stop();
  }
};

class Run : public testing::Test {
 protected:
  void SetUp() override {
    clear_stop_request();
    write_synthetic_dataset(directory_.path() / "data");
    request_ = small_request(directory_.path());
  }
  void TearDown() override { clear_stop_request(); }

  RunOutcome train() { return bitlaw::train(request_.config, request_.run); }
  std::string error_of_training() {
    try {
      train();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  // Trains the run twice, the second time with an interruption and another number of threads, and
  // expects the same bits. The record of the second.
  RunRecord record_of_interrupted_run() {
    const RunOutcome whole = train();
    EXPECT_EQ(whole.status, RunStatus::kFinished);
    runs_in("interrupted");
    StopAtStep sink(14);
    EXPECT_EQ(bitlaw::train(request_.config, request_.run, &sink).status, RunStatus::kInterrupted);
    clear_stop_request();
    request_.run.threads = 1;
    const RunOutcome later = train();
    EXPECT_EQ(later.name, whole.name);
    EXPECT_TRUE(weights_of(whole.directory) == weights_of(later.directory));
    EXPECT_EQ(later.result->validation->loss_nats, whole.result->validation->loss_nats);
    return read_run(later.directory).record;
  }
  // Its saved state.
  fs::path interrupted_at(int64_t step) {
    StopAtStep sink(step);
    const RunOutcome outcome = bitlaw::train(request_.config, request_.run, &sink);
    EXPECT_EQ(outcome.status, RunStatus::kInterrupted);
    clear_stop_request();
    return outcome.directory / "checkpoints/state/state.bin";
  }
  void runs_in(const char* name) { request_.run.directory = (directory_.path() / name).string(); }

  TemporaryDirectory directory_;
  TrainRequest request_;
};

TEST_F(Run, LeavesARecordThatSaysAllAndIsNeverDoneTwice) {
  const RunOutcome outcome = train();
  EXPECT_EQ(outcome.status, RunStatus::kFinished);
  EXPECT_FALSE(outcome.was_there);
  const fs::path run = fs::path(request_.run.directory) / outcome.name;
  EXPECT_EQ(outcome.directory, run);

  const TrainedRun trained = read_run(run);
  EXPECT_EQ(trained.record.name, outcome.name);
  EXPECT_EQ(trained.config.train.tokens, request_.config.train.tokens);
  EXPECT_EQ(trained.record.model.parameters, trained.config.model.parameters());
  EXPECT_EQ(trained.record.build->engine, engine_name(Context{}));
  EXPECT_TRUE(trained.record.build->engine.starts_with(trained.record.build->isa));
  const ResultRecord& result = trained.result.value();
  EXPECT_EQ(result.status, RunStatus::kFinished);
  EXPECT_EQ(result.training->steps, 60);
  EXPECT_EQ(result.training->tokens, 60 * 256);
  EXPECT_LT(result.validation->loss_nats, std::log(kSyntheticVocabulary) - 0.5);
  EXPECT_GT(result.validation->standard_error, 0);
  EXPECT_TRUE(std::isnan(result.validation->bits_per_byte))
      << "bare shards do not know their bytes";
  EXPECT_GT(result.training->tokens_per_second, 0);
  EXPECT_FALSE(fs::exists(run / "checkpoints/state"));

  const std::vector<Json> metrics = metrics_of(run);
  ASSERT_EQ(metrics.size(), 9u) << "every 7 steps of 60, and the last";
  double seconds = 0;
  for (size_t i = 0; i < metrics.size(); ++i) {
    EXPECT_EQ(metrics[i].at("step"), std::min<int64_t>(60, 7 * static_cast<int64_t>(i + 1)));
    EXPECT_EQ(metrics[i].at("tokens").get<int64_t>(), metrics[i].at("step").get<int64_t>() * 256);
    EXPECT_GT(metrics[i].at("seconds").get<double>(), seconds);
    seconds = metrics[i].at("seconds");
  }

  const std::string before = read_file(run / "result.json");
  const RunOutcome again = train();
  EXPECT_TRUE(again.was_there);
  EXPECT_EQ(result_to_json(again.result.value()), result_to_json(result));
  EXPECT_EQ(read_file(run / "result.json"), before);

  const Dataset dataset = Dataset::open(request_.config.data.path, kSyntheticVocabulary);
  const Validation evaluated = evaluate_run(trained, dataset, 0, 1);
  EXPECT_EQ(evaluated.loss_nats, result.validation->loss_nats)
      << "the checkpoint is the model that was validated";
}

TEST_F(Run, AKilledRunGoesOnBitForBit) {
  request_.config.train.tokens = 200 * request_.config.train.batch_tokens;
  const RunOutcome whole = train();
  ASSERT_EQ(whole.status, RunStatus::kFinished);

  runs_in("killed");
  request_.run.checkpoint_steps = 3;
  request_.run.log_steps = 1;
  request_.run.validation_steps = 25;
  const fs::path run = fs::path(request_.run.directory) / whole.name;
  int kills = 0;
  for (uint64_t attempt = 0; attempt < 5; ++attempt) {
    // That many lines after the current one; the kill hits the child wherever it is then.
    const int64_t target =
        lines_of(run / "metrics.jsonl") + 5 +
        static_cast<int64_t>(random_below(static_cast<uint64_t>(::getpid()), 0, attempt, 25));
    request_.run.threads = 1 + static_cast<int64_t>(attempt % 2);
    Child child(request_);
    while (lines_of(run / "metrics.jsonl") < target && !child.ended()) {
      std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
    if (child.ended()) break;
    child.kill_and_wait(SIGKILL);
    ++kills;
  }
  EXPECT_GE(kills, 3);
  EXPECT_FALSE(fs::exists(run / "result.json"));
  Child last(request_);
  ASSERT_EQ(last.wait(), 0);
  EXPECT_TRUE(weights_of(whole.directory) == weights_of(run))
      << "byte for byte, after " << kills << " kills";
  const ResultRecord result = read_run(run).result.value();
  EXPECT_EQ(struct_to_json(*result.validation), struct_to_json(*whole.result->validation));
  EXPECT_EQ(result.training->train_loss_nats, whole.result->training->train_loss_nats);
  int64_t step = 0;
  for (const Json& line : metrics_of(run)) {
    if (line.contains("validation")) {
      EXPECT_EQ(line.at("step"), step);
      continue;
    }
    EXPECT_EQ(line.at("step"), ++step) << "each step once, none left out";
  }
  EXPECT_EQ(step, 200);
}

std::map<std::string, std::string> kept_in(const fs::path& run) {
  std::map<std::string, std::string> weights;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / "checkpoints"))
    weights[entry.path().filename()] = read_file(entry.path() / "model.safetensors");
  return weights;
}

TEST_F(Run, KeepsModelsAlongTheWayThatChangeNothing) {
  const RunOutcome plain = train();
  EXPECT_EQ(kept_in(plain.directory).size(), 1u) << "only the final model, unless asked for";

  runs_in("kept");
  request_.run.checkpoints = 2;
  request_.run.checkpoint_tokens = {40 * 256 + 100};  // rounded to a whole step
  const RunOutcome kept = train();
  EXPECT_EQ(kept.name, plain.name);
  EXPECT_TRUE(weights_of(plain.directory) == weights_of(kept.directory));
  std::map<std::string, std::string> whole = kept_in(kept.directory);
  ASSERT_EQ(whole.size(), 4u);
  for (const int64_t steps : {15, 30, 40}) {
    const std::string name = fmt::format("tokens-{}", steps * 256);
    ASSERT_TRUE(whole.contains(name)) << name;
    const Dataset dataset = Dataset::open(request_.config.data.path, kSyntheticVocabulary);
    const LoadedModel loaded = load_model(kept.directory / "checkpoints" / name);
    EXPECT_TRUE(whole.at(name) != whole.at("final"));
    EXPECT_EQ(loaded.config.width, 32);
  }
  std::vector<double> curve;
  for (const Json& line : metrics_of(kept.directory)) {
    if (!line.contains("checkpoint")) continue;
    EXPECT_EQ(line.at("checkpoint"), fmt::format("tokens-{}", line.at("tokens").get<int64_t>()));
    curve.push_back(line.at("validation").at("loss_nats"));
  }
  ASSERT_EQ(curve.size(), 3u);
  EXPECT_GT(curve[0], curve[2]);

  // Interrupted before, between and after them, with states saved at other steps.
  runs_in("interrupted");
  for (const int64_t step : {14, 35, 49}) {
    StopAtStep sink(step);
    EXPECT_EQ(bitlaw::train(request_.config, request_.run, &sink).status, RunStatus::kInterrupted);
    clear_stop_request();
  }
  EXPECT_TRUE(kept_in(train().directory) == whole) << "byte for byte";
}

TEST(KeptSteps, FewerStepsThanHalvesAreSaid) {
  RunOptions options;
  options.checkpoints = 20;
  EXPECT_EQ(kept_steps(options, 60, 256).size(), 5u);
  EXPECT_EQ(
      few_checkpoints_note(options, 60),
      "5 of the 20 models asked for with --checkpoints are kept along the run: 60 steps can be "
      "halved no further");
  options.checkpoints = 5;
  EXPECT_EQ(few_checkpoints_note(options, 60), "");
}

TEST_F(Run, RefusesToKeepAModelWhereThereIsNone) {
  for (const double end : {60 * 256.0, 60 * 256.0 - 100, 60 * 256.0 + 100}) {
    request_.run.checkpoint_tokens = {end};
    EXPECT_EQ(error_of_training(),
              fmt::format("run.checkpoint_tokens: {} is the end of the run (15360 tokens in steps "
                          "of 256), where the final model is saved anyway; leave it out",
                          end));
  }
  for (const double outside : {0.0, 255.0, 15360.0 + 128, 1e6}) {
    request_.run.checkpoint_tokens = {outside};
    EXPECT_EQ(error_of_training(), fmt::format("run.checkpoint_tokens: {:.12g} is not between one "
                                               "step (256 tokens) and the end of the run (15360)",
                                               outside));
  }
  EXPECT_FALSE(fs::exists(request_.run.directory));
}

TEST_F(Run, WithBlockFormatsGoesOnBitForBit) {
  RecipeConfig& recipe = request_.config.recipe;
  recipe.weights = "nvfp4";
  recipe.activations = "mxfp4";
  recipe.kv = "mxfp8-e4m3";
  recipe.queries = "kv";
  const RunRecord record = record_of_interrupted_run();
  EXPECT_EQ(record.trained_recipe().weights, parse_quantizer("nvfp4"));
  EXPECT_EQ(record.recipe,
            "weights=nvfp4 activations=mxfp4 keys=mxfp8-e4m3 values=mxfp8-e4m3 "
            "queries=mxfp8-e4m3");
}

// With a rotation, a fitted range and a trust mask in both projections and heads.
TEST_F(Run, WithARecipeOfAPaperGoesOnBitForBit) {
  RecipeConfig& recipe = request_.config.recipe;
  recipe = {};
  recipe.named = "quest-w4a4";
  recipe.kv = "4+gauss+hadamard";
  recipe.queries = "kv";
  const RunRecord record = record_of_interrupted_run();
  EXPECT_EQ(record.trained_recipe().weights,
            parse_quantizer("int4+gauss+hadamard128+trust/channel"));
  EXPECT_EQ(record.recipe,
            "weights=int4+gauss+hadamard128+trust/channel "
            "activations=int4+gauss+hadamard128+trust/token keys=int4+gauss+hadamard/sequence "
            "values=int4+gauss/sequence queries=int4+gauss+hadamard/sequence");
  EXPECT_FALSE(record.config.at("recipe").contains("named"));
}

TEST_F(Run, WithScalesPerBatchGoesOnBitForBitAndIsValidatedInItsBatches) {
  RecipeConfig& recipe = request_.config.recipe;
  recipe.activations = recipe.kv = "4";
  recipe.queries = "kv";
  recipe.activations_granularity = recipe.kv_granularity = "batch";
  const RunOutcome whole = train();
  ASSERT_EQ(whole.status, RunStatus::kFinished);
  runs_in("interrupted");
  StopAtStep sink(14);
  EXPECT_EQ(bitlaw::train(request_.config, request_.run, &sink).status, RunStatus::kInterrupted);
  clear_stop_request();
  request_.run.threads = 1;
  const RunOutcome later = train();
  EXPECT_EQ(later.name, whole.name);
  EXPECT_TRUE(weights_of(whole.directory) == weights_of(later.directory));
  EXPECT_EQ(later.result->validation->loss_nats, whole.result->validation->loss_nats);
  const TrainedRun trained = read_run(later.directory);
  EXPECT_EQ(trained.record.trained_recipe().batch_sequences, 8);
  const Dataset dataset = Dataset::open(request_.config.data.path, kSyntheticVocabulary);
  EXPECT_EQ(evaluate_run(trained, dataset, 0, 3).loss_nats, whole.result->validation->loss_nats);
}

// Up to version 0.2, one scale per sequence was called tensor.
TEST_F(Run, OfAnOlderVersionGoesOnBitForBit) {
  request_.config.recipe.activations = request_.config.recipe.kv = "4";
  const RunOutcome whole = train();
  runs_in("older");
  StopAtStep sink(14);
  const RunOutcome stopped = bitlaw::train(request_.config, request_.run, &sink);
  ASSERT_EQ(stopped.status, RunStatus::kInterrupted);
  clear_stop_request();
  Json written = parse_json(read_file(stopped.directory / "run.json"), "run.json");
  written.erase("checksum");
  std::string record = dump_json(written, 1);
  for (size_t at; (at = record.find("_granularity\": \"sequence\"")) != std::string::npos;)
    record.replace(at, std::strlen("_granularity\": \"sequence\""), "_granularity\": \"tensor\"");
  write_file_atomically(stopped.directory / "run.json", record);
  request_.config.recipe.activations_granularity = "tensor";
  const RunOutcome later = train();
  EXPECT_EQ(later.directory, stopped.directory);
  EXPECT_EQ(later.status, RunStatus::kFinished);
  EXPECT_TRUE(weights_of(whole.directory) == weights_of(later.directory));
  EXPECT_EQ(read_run(later.directory).config.recipe.activations_granularity, "sequence");
}

TEST_F(Run, ASignalSavesTheStateAndTheSameCallGoesOn) {
  const RunOutcome whole = train();
  runs_in("interrupted");
  request_.config.train.tokens = 60 * request_.config.train.batch_tokens;

  struct StopAt : MetricsSink {
    int64_t step;
    void record(const StepMetrics& metrics) override {
      if (metrics.step >= step) request_stop();
    }
  };
  StopAt sink;
  for (int64_t step : {14, 35}) {
    sink.step = step;
    const RunOutcome outcome = bitlaw::train(request_.config, request_.run, &sink);
    EXPECT_EQ(outcome.status, RunStatus::kInterrupted);
    EXPECT_EQ(outcome.steps_done, step);
    EXPECT_NE(describe(outcome).find("resumes from there"), std::string::npos);
    EXPECT_FALSE(fs::exists(outcome.directory / "result.json"));
    clear_stop_request();
  }
  const RunOutcome rest = train();
  EXPECT_EQ(rest.status, RunStatus::kFinished);
  EXPECT_TRUE(weights_of(whole.directory) == weights_of(rest.directory));
  const auto losses = [](const fs::path& run) {
    std::vector<double> out;
    for (const Json& line : metrics_of(run)) out.push_back(line.at("loss_nats"));
    return out;
  };
  EXPECT_EQ(losses(whole.directory), losses(rest.directory)) << "the means of intervals go on, too";

  runs_in("signalled");
  request_.config.train.tokens = 100'000 * request_.config.train.batch_tokens;
  Child child(request_);
  const fs::path runs = request_.run.directory;
  const auto started = [&] {
    for (const auto& entry : fs::directory_iterator(runs)) {
      if (fs::exists(entry.path() / "metrics.jsonl")) return true;
    }
    return false;
  };
  while (!(fs::exists(runs) && started()) && !child.ended())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  child.kill(SIGTERM);  // as a scheduler does, besides the worker
  EXPECT_EQ(child.kill_and_wait(SIGTERM), kInterruptedExitCode);
}

// Of version 1, whose checksum left the header out.
TEST_F(Run, AStateThatCountsOtherStepsThanItsLossesIsRefused) {
  const fs::path state = interrupted_at(14);
  make_state_of_version_1(state);
  const auto with_steps = [&](int64_t steps) {
    change_state(state, [&](Json& header) { header["steps"] = steps; });
    return error_of_training();
  };
  for (const int64_t steps : {13, 15, 61, -5})
    EXPECT_NE(with_steps(steps).find("state.bin: a saved training state with a damaged header"),
              std::string::npos)
        << steps;
  EXPECT_EQ(with_steps(14), "");
}

TEST_F(Run, GoesOnWithAnotherEngineOnlyIfAskedAndRecordsIt) {
  const std::string here = engine_name(Context{});
  EXPECT_EQ(train().result->training->engines, std::vector<std::string>{here});
  runs_in("elsewhere");
  const fs::path state = interrupted_at(14);
  change_state(state, [](Json& header) {
    header["engine"] = "abacus";
    header["engines"] = {"abacus"};
  });
  const std::string refused = error_of_training();
  EXPECT_NE(refused.find("was computed by the engine abacus, and this is " + here + ","),
            std::string::npos)
      << refused;
  EXPECT_TRUE(fs::exists(state)) << "nothing is lost";

  request_.run.other_engine = true;
  StopAtStep sink(28);  // and once more: it stays in the state
  bitlaw::train(request_.config, request_.run, &sink);
  clear_stop_request();
  request_.run.other_engine = false;
  const RunOutcome mixture = train();
  EXPECT_EQ(mixture.result->training->engines, (std::vector<std::string>{"abacus", here}));
  EXPECT_EQ(read_run(mixture.directory).record.build->engine, here) << "where it was begun";
}

// A state of version 1 does not say, but run.json does.
TEST_F(Run, AnOlderStateIsOfTheEngineThatBeganTheRun) {
  const fs::path state = interrupted_at(14);
  make_state_of_version_1(state);
  const fs::path run = state.parent_path().parent_path().parent_path();
  RunRecord record = read_run_record(run);
  record.build->engine = "abacus";
  write_run_record(run, record);
  EXPECT_NE(error_of_training().find("computed by the engine abacus"), std::string::npos);
  record.build->engine.clear();  // older still
  write_run_record(run, record);
  EXPECT_EQ(train().result->training->engines, std::vector<std::string>{engine_name(Context{})});
}

// metrics.jsonl without times.
std::vector<Json> without_seconds(const fs::path& run) {
  std::vector<Json> lines = metrics_of(run);
  for (Json& line : lines) line.erase("seconds");
  return lines;
}

// The sink asks for a stop when it is told of a step, before what else belongs to that step: its
// validation, and the model that is kept.
TEST_F(Run, AStopInsideAValidationGoesOnBitForBit) {
  request_.run.validation_steps = 14;
  request_.run.checkpoints = 2;
  for (const int64_t step : {28, 30, 60}) {
    SCOPED_TRACE(step);
    request_.run.log_steps = step;
    runs_in(fmt::format("whole-{}", step).c_str());
    const RunOutcome whole = train();
    runs_in(fmt::format("stopped-{}", step).c_str());
    StopAtStep sink(step);
    const RunOutcome stopped = bitlaw::train(request_.config, request_.run, &sink);
    EXPECT_EQ(stopped.status, RunStatus::kInterrupted);
    EXPECT_EQ(stopped.steps_done, step);
    EXPECT_FALSE(fs::exists(stopped.directory / "result.json"));
    EXPECT_FALSE(metrics_of(stopped.directory).back().contains("validation"));
    clear_stop_request();
    const RunOutcome rest = train();
    EXPECT_EQ(rest.status, RunStatus::kFinished);
    EXPECT_TRUE(weights_of(whole.directory) == weights_of(rest.directory));
    EXPECT_EQ(rest.result->validation->loss_nats, whole.result->validation->loss_nats);
    EXPECT_EQ(without_seconds(rest.directory), without_seconds(whole.directory));
    EXPECT_TRUE(kept_in(rest.directory) == kept_in(whole.directory));
  }
}

// Killed after result.json and before the state was removed.
TEST_F(Run, TheStateOfARunThatHasEndedIsRemoved) {
  const RunOutcome whole = train();
  const fs::path state = whole.directory / "checkpoints/state/state.bin";
  EXPECT_FALSE(fs::exists(state.parent_path()));
  write_file_atomically(state, "state");
  EXPECT_TRUE(train().was_there);
  EXPECT_FALSE(fs::exists(state.parent_path()));
}

TEST_F(Run, DivergenceIsAResult) {
  request_.config.train.lr = 1e3;
  const RunOutcome outcome = train();
  EXPECT_EQ(outcome.status, RunStatus::kDiverged);
  const ResultRecord result = read_run(outcome.directory).result.value();
  EXPECT_EQ(result.status, RunStatus::kDiverged);
  EXPECT_GE(result.training->diverged_at_step.value(), 1);
  EXPECT_LE(result.training->diverged_at_step.value(), 60);
  EXPECT_FALSE(result.validation.has_value());
  EXPECT_FALSE(fs::exists(outcome.directory / "checkpoints/final"));
  const RunOutcome again = train();
  EXPECT_TRUE(again.was_there);
  EXPECT_EQ(again.status, RunStatus::kDiverged);
}

TEST_F(Run, OneProcessAtATime) {
  const Dataset dataset = Dataset::open(request_.config.data.path, kSyntheticVocabulary);
  const ResolvedConfig resolved = resolve(request_.config, dataset.info());
  {
    RunDirectory held(request_.run.directory, resolved.name());
    held.open(make_run_record(resolved, dataset.info()));
    EXPECT_NE(error_of_training().find("another process is working on this run"),
              std::string::npos);
  }
  EXPECT_EQ(train().status, RunStatus::kFinished);
}

TEST_F(Run, ADirectoryThatHoldsAnotherRunIsLeftAlone) {
  const Dataset dataset = Dataset::open(request_.config.data.path, kSyntheticVocabulary);
  TrainConfig other = request_.config;
  other.train.seed = 7;
  const fs::path run =
      fs::path(request_.run.directory) / resolve(request_.config, dataset.info()).name();
  write_run_record(run, make_run_record(resolve(other, dataset.info()), dataset.info()));
  const std::string before = read_file(run / "run.json");
  EXPECT_NE(error_of_training().find("another configuration"), std::string::npos);
  EXPECT_EQ(read_file(run / "run.json"), before);
}

TEST_F(Run, BadPlacesAndDataAreOneSentence) {
  request_.run.directory = "/proc/bitlaw-runs";  // read-only for everyone
  EXPECT_NE(error_of_training().find("/proc/bitlaw-runs"), std::string::npos);
  runs_in("a-file");
  write_file_atomically(request_.run.directory, "not a directory");
  EXPECT_NE(error_of_training().find("a-file"), std::string::npos);
  EXPECT_EQ(read_file(request_.run.directory), "not a directory");

  runs_in("runs");
  request_.config.model.sequence = 30'000;
  request_.config.train.batch_tokens = 30'000;
  EXPECT_NE(error_of_training().find("too short"), std::string::npos);
  EXPECT_FALSE(fs::exists(request_.run.directory)) << "nothing is begun that cannot be trained";
  request_.config.data.path = (directory_.path() / "nothing").string();
  EXPECT_NE(error_of_training().find("nothing"), std::string::npos);
}

TEST_F(Run, AFullDiskKeepsTheLastStateAndTheRunGoesOnLater) {
  const RunOutcome whole = train();
  runs_in("full");
  request_.run.checkpoint_steps = 20;
  // A limit on the size of files fails the write of a state as a full disk does.
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit tight{50'000, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  const std::string error = error_of_training();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  EXPECT_NE(error.find("state.bin: cannot be written"), std::string::npos) << error;
  const RunOutcome later = train();
  EXPECT_EQ(later.status, RunStatus::kFinished);
  EXPECT_TRUE(weights_of(whole.directory) == weights_of(later.directory));
}

// With sanitizers memory is theirs, not the run's.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

struct MemoryCase {
  int64_t width, layers, heads, kv_heads, sequence, vocabulary, lanes, threads;
  const char* bits;
  const char* backward;
  const char* shared = "sequence";  // what has one scale
};

class RunMemory : public Run {
 protected:
  // The plan, and a run of two steps, each in a separate process.
  void expect_predicted_within_a_tenth(const MemoryCase& c) {
    SCOPED_TRACE(testing::Message() << "width " << c.width << ", " << c.bits << " bits, T "
                                    << c.sequence << ", V " << c.vocabulary);
    TrainConfig& config = request_.config;
    config.model.width = c.width;
    config.model.layers = c.layers;
    config.model.heads = c.heads;
    config.model.kv_heads = c.kv_heads;
    config.model.vocabulary = c.vocabulary;
    config.model.sequence = c.sequence;
    config.recipe.weights = config.recipe.activations = config.recipe.kv = c.bits;
    config.recipe.activations_granularity = config.recipe.kv_granularity = c.shared;
    config.train.lanes = c.lanes;
    config.train.backward = c.backward;
    config.train.batch_tokens = std::max(c.lanes * c.sequence, c.threads * 1024);
    config.train.tokens = 2 * config.train.batch_tokens;
    request_.run.threads = c.threads;
    ASSERT_EQ(Child(request_, "--plan-child").wait(), 0);
    const Json plan =
        parse_json(read_file(Child::request_file(request_).string() + ".plan"), "plan");
    ASSERT_EQ(Child(request_).wait(), 0);
    const TrainedRun run =
        read_run(fs::path(request_.run.directory) / plan.at("name").get<std::string>());
    const auto measured = static_cast<double>(run.result->training->peak_memory_bytes);
    for (const double predicted : {plan.at("predicted_memory_bytes").get<double>(),
                                   run.result->training->predicted_memory_bytes}) {
      EXPECT_NEAR(predicted / measured, 1, 0.1)
          << "predicted " << predicted << " measured " << measured;
    }
  }
};

TEST_F(RunMemory, PeakIsPredictedWithinATenth) {
  if (kSanitized) GTEST_SKIP() << "sanitizers keep memory of their own";
  for (const MemoryCase& c : {MemoryCase{64, 2, 2, 2, 256, 61, 4, 1, "16", "bf16"},
                              {128, 3, 4, 4, 256, 4096, 4, 2, "4", "bf16"},
                              {128, 2, 4, 4, 256, 2048, 4, 2, "12", "fp32"},
                              {256, 3, 4, 4, 256, 2048, 4, 2, "16", "bf16"},
                              {128, 3, 4, 4, 256, 512, 8, 2, "4", "bf16", "batch"},
                              {512, 1, 8, 8, 256, 4096, 1, 1, "8", "bf16"}}) {
    expect_predicted_within_a_tenth(c);
  }
}

// 34 M parameters with their tables; and grouped queries, long sequences, a large vocabulary.
TEST_F(RunMemory, SlowPeakOfLargeShapesIsPredictedWithinATenth) {
  if (kSanitized) GTEST_SKIP() << "sanitizers keep memory of their own";
  for (const MemoryCase& c : {MemoryCase{512, 8, 8, 8, 512, 8192, 4, 2, "4", "bf16"},
                              {256, 2, 8, 2, 1024, 32768, 2, 2, "4", "bf16"},
                              {256, 2, 8, 2, 1024, 16384, 1, 1, "32", "fp32"}}) {
    expect_predicted_within_a_tenth(c);
  }
}

TEST_F(Run, SequencesThatCutDocumentsOfKnownEntropyAreSaid) {
  DatasetInfo data = Dataset::open(request_.config.data.path, kSyntheticVocabulary).info();
  const auto notes = [&](int64_t document_tokens) {
    data.synthetic = SyntheticSource{1.25, document_tokens};
    return fmt::format("{}",
                       fmt::join(plan_run(resolve(request_.config, data), data, 1).notes, ";"));
  };
  ASSERT_EQ(request_.config.model.sequence, 32);
  EXPECT_EQ(notes(32).find("cut the documents"), std::string::npos);
  EXPECT_EQ(notes(8).find("cut the documents"), std::string::npos);
  EXPECT_NE(notes(128).find("sequences of 32 tokens cut the documents of 128 tokens"),
            std::string::npos)
      << notes(128);
}

TEST_F(Run, TextThatRepeatsIsSaidBeforeItStarts) {
  const DatasetInfo data = Dataset::open(request_.config.data.path, kSyntheticVocabulary).info();
  const auto note_at = [&](int64_t steps) {
    request_.config.train.tokens = steps * 256;
    const ResolvedConfig resolved = resolve(request_.config, data);
    const std::string note = repetition_note(resolved, data);
    const RunPlan plan = plan_run(resolved, data, 1);
    EXPECT_EQ(std::count(plan.notes.begin(), plan.notes.end(), note), note.empty() ? 0 : 1);
    return note;
  };
  constexpr int64_t kWindows = 19'999 / 32;
  EXPECT_EQ(note_at(kWindows / 8), "") << "every window once";
  EXPECT_EQ(note_at(2 * kWindows / 8 + 1), "D = 40.2 k is more than the 20 k training tokens of " +
                                               request_.config.data.path +
                                               ": text repeats, 2.01 epochs");
  request_.config.train.tokens = 100 * 256;
  for (const bool quiet : {true, false}) {
    request_.run.quiet = quiet;
    runs_in(quiet ? "quiet" : "loud");
    testing::internal::CaptureStderr();
    train();
    EXPECT_EQ(testing::internal::GetCapturedStderr().find("note: D = 25.6 k is more than") == 0,
              !quiet);
  }
}

TEST_F(Run, ABatchThatSharesScalesHasToFitIntoMemory) {
  const DatasetInfo data = Dataset::open(request_.config.data.path, kSyntheticVocabulary).info();
  MemoryPlan plan;
  plan.activations = 3 * 0x1p30;
  const auto error = [&] {
    try {
      require_batch_fits(resolve(request_.config, data), plan, 2 * 0x1p30);
    } catch (const Error& refused) {
      return std::string(refused.what());
    }
    return std::string();
  };
  request_.config.recipe.activations = "4";
  EXPECT_EQ(error(), "") << "a sequence by itself";
  request_.config.recipe.activations_granularity = "batch";
  EXPECT_EQ(error(),
            "recipe: a scale per batch keeps the activations of all 8 sequences of a step in "
            "memory; the run needs 3.0 GiB and this machine has 2.0 GiB; use a smaller "
            "train.batch_tokens, or one scale per sequence");
  plan.activations = 1e9;
  EXPECT_EQ(error(), "");
}

TEST_F(Run, ThePlanCountsStepsEpochsAndTime) {
  const Dataset dataset = Dataset::open(request_.config.data.path, kSyntheticVocabulary);
  const ResolvedConfig resolved = resolve(request_.config, dataset.info());
  const RunPlan plan = plan_run(resolved, dataset.info(), 2, 1e9);
  EXPECT_EQ(plan.name, resolved.name());
  EXPECT_EQ(plan.steps, 60);
  EXPECT_EQ(plan.tokens, 60 * 256);
  EXPECT_DOUBLE_EQ(plan.epochs, 60.0 * 8 / (19'999 / 32));
  EXPECT_EQ(plan.flops, plan.flops_per_token * 60 * 256);
  EXPECT_DOUBLE_EQ(plan.seconds, plan.flops / 1e9);
  EXPECT_TRUE(to_json(plan_run(resolved, dataset.info(), 2)).at("seconds").is_null());
  EXPECT_FALSE(fs::exists(request_.run.directory)) << "a plan touches nothing";
}

}  // namespace
}  // namespace bitlaw

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]).ends_with("-child")) return bitlaw::child(argv[1], argv[2]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
