#include "train/trunk.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/file.h"
#include "train/run.h"
#include "train/state_for_tests.h"
#include "train/synthetic_text.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class Trunk : public testing::Test {
 protected:
  void SetUp() override {
    write_synthetic_dataset(directory_.path() / "data");
    config_.model.width = 32;
    config_.model.layers = 2;
    config_.model.heads = 2;
    config_.model.sequence = 32;
    config_.model.vocabulary = kSyntheticVocabulary;
    config_.recipe.weights = "4";
    config_.data.path = (directory_.path() / "data").string();
    config_.schedule.kind = "wsd";
    config_.schedule.warmup_steps = 5;
    config_.schedule.decay = 0.25;
    config_.train.batch_tokens = 256;
    config_.optimizer.batch_power = 0;  // else the rate depends on the length
  }

  RunOutcome run(const char* runs, int64_t steps, const std::function<void(RunOptions&)>& change) {
    RunOptions options;
    options.directory = (directory_.path() / runs).string();
    options.threads = 1;
    options.log_steps = 7;
    options.quiet = true;
    change(options);
    config_.train.tokens = steps * config_.train.batch_tokens;
    return train(config_, options);
  }
  RunOutcome alone(int64_t steps) {
    return run("alone", steps, [](RunOptions&) {});
  }
  RunOutcome sharing(int64_t steps, std::vector<int64_t> for_others = {}) {
    return run("shared", steps, [&](RunOptions& options) {
      options.share = true;
      options.share_steps = std::move(for_others);
    });
  }
  ResolvedConfig resolved(const std::function<void(TrainConfig&)>& change = [](TrainConfig&) {}) {
    TrainConfig config = config_;
    config.train.tokens = 40 * config.train.batch_tokens;
    change(config);
    return resolve(config, Dataset::open(config.data.path, kSyntheticVocabulary).info());
  }

  static void expect_same(const RunOutcome& a, const RunOutcome& b) {
    EXPECT_EQ(a.name, b.name);
    const auto weights = [](const RunOutcome& run) {
      return read_file(run.directory / "checkpoints/final/model.safetensors");
    };
    EXPECT_TRUE(weights(a) == weights(b)) << "byte for byte";
    EXPECT_EQ(struct_to_json(*a.result->validation), struct_to_json(*b.result->validation));
    EXPECT_EQ(a.result->training->train_loss_nats, b.result->training->train_loss_nats);
    EXPECT_EQ(log_of(a), log_of(b));
  }
  // All but the seconds.
  static std::vector<Json> log_of(const RunOutcome& run) {
    std::vector<Json> lines;
    for (const std::string& text : split(read_file(run.directory / "metrics.jsonl"), '\n')) {
      if (text.empty()) continue;
      lines.push_back(parse_json(text, "metrics.jsonl"));
      lines.back().erase("seconds");
    }
    return lines;
  }

  TemporaryDirectory directory_;
  TrainConfig config_;
};

TEST_F(Trunk, ABranchIsTheRunThatItWouldHaveBeenAlone) {
  const RunOutcome trunk = sharing(60, {15, 30});
  EXPECT_FALSE(trunk.result->training->shared_steps.has_value());
  for (const int64_t steps : {20, 40}) {
    const RunOutcome branch = sharing(steps);
    EXPECT_EQ(branch.result->training->shared_steps, steps * 3 / 4);
    expect_same(alone(steps), branch);
  }
  expect_same(alone(60), trunk);
}

TEST_F(Trunk, ALongerRunGoesOnWhereAShorterOneLeftIt) {
  sharing(20);
  const RunOutcome longer = sharing(40);
  EXPECT_EQ(longer.result->training->shared_steps, 15);
  expect_same(alone(40), longer);
}

// As after a kill before the first state of its own.
TEST_F(Trunk, ARunThatBeginsWithWhatItLeftItselfSharesNothing) {
  const RunOutcome first = sharing(60, {15});
  const fs::path half =
      trunk_place(directory_.path() / "shared", trunk_name(resolved()), 15).parent_path() /
      (".tmp-" + first.name);
  fs::create_directories(half);
  fs::remove_all(first.directory);
  const RunOutcome again = sharing(60, {15});
  EXPECT_EQ(log_of(again).front().at("step"), 7)
      << "it began after step 45, with the log until there";
  EXPECT_FALSE(again.result->training->shared_steps.has_value());
  EXPECT_FALSE(fs::exists(half)) << "what a killed process has half written goes";
  expect_same(alone(60), again);
}

TEST_F(Trunk, OneShapeOfTheDecaySharesWithTheOther) {
  sharing(40);
  config_.schedule.decay_shape = "1-sqrt";
  const RunOutcome other = sharing(40);
  EXPECT_EQ(other.result->training->shared_steps, 30);
  expect_same(alone(40), other);
}

TEST_F(Trunk, ABranchKeepsTheModelsAlongItThatAreAskedFor) {
  sharing(60, {30});
  const RunOutcome branch = run("shared", 40, [](RunOptions& options) {
    options.share = true;
    options.checkpoints = 1;
  });
  EXPECT_TRUE(fs::exists(branch.directory / "checkpoints/tokens-5120")) << "20 steps of 256";
  EXPECT_FALSE(branch.result->training->shared_steps.has_value());
}

TEST_F(Trunk, ADamagedStateIsRefusedWithWhatToDo) {
  sharing(20);
  const std::string trunk = trunk_name(resolved());
  const fs::path file = trunk_place(directory_.path() / "shared", trunk, 15) / "state.bin";
  ASSERT_TRUE(fs::exists(file));
  std::string bytes = read_file(file);
  bytes.back() ^= 1;
  write_file_atomically(file, bytes);
  std::string said;
  try {
    sharing(40);
  } catch (const Error& error) {
    said = error.what();
  }
  EXPECT_NE(said.find(file.string() + ": the content does not match its checksum; remove the file"),
            said.npos)
      << said;
}

TEST_F(Trunk, AStateOfAnotherEngineIsNotUsed) {
  sharing(60, {15, 30});
  const std::string trunk = trunk_name(resolved());
  const auto computed_by = [&](int64_t step, const char* engine) {
    const fs::path file = trunk_place(directory_.path() / "shared", trunk, step) / "state.bin";
    change_state(file, [&](Json& header) {
      header["engine"] = engine;
      header["engines"] = {engine};
    });
  };
  computed_by(30, "abacus");
  const RunOutcome branch = sharing(40);
  EXPECT_EQ(branch.result->training->shared_steps, 15) << "the one before that";
  expect_same(alone(40), branch);

  computed_by(15, "abacus");
  const RunOutcome other = sharing(20);
  EXPECT_FALSE(other.result->training->shared_steps.has_value());
  expect_same(alone(20), other);
}

TEST_F(Trunk, IsSharedByWhatDiffersInLengthAndDecayAlone) {
  const std::string name = trunk_name(resolved());
  EXPECT_EQ(name.size(), 16u);
  const auto changed = [&](const std::function<void(TrainConfig&)>& change) {
    return trunk_name(resolved(change));
  };
  EXPECT_EQ(changed([](TrainConfig& c) { c.train.tokens *= 2; }), name);
  EXPECT_EQ(changed([](TrainConfig& c) { c.schedule.decay = 0.5; }), name);
  EXPECT_EQ(changed([](TrainConfig& c) { c.schedule.final = 0; }), name);
  EXPECT_EQ(changed([](TrainConfig& c) { c.train.validation_tokens = 512; }), name);
  for (const auto& change : std::vector<std::function<void(TrainConfig&)>>{
           [](TrainConfig& c) { c.train.seed = 2; },
           [](TrainConfig& c) { c.train.lr = 0.03; },
           [](TrainConfig& c) { c.train.batch_tokens = 512; },
           [](TrainConfig& c) { c.recipe.weights = "5"; },
           [](TrainConfig& c) { c.schedule.warmup_steps = 6; },
           [](TrainConfig& c) { c.model.width = 64; },
       }) {
    EXPECT_NE(changed(change), name);
    EXPECT_NE(changed(change), "");
  }
  EXPECT_EQ(changed([](TrainConfig& c) { c.schedule.kind = "cosine"; }), "");
  EXPECT_EQ(changed([](TrainConfig& c) { c.schedule.warmup_steps = 0; }), "")
      << "a warm-up that is a share depends on the length";
}

TEST_F(Trunk, EndsWhereTheDecayOrTheLastLossesBegin) {
  EXPECT_EQ(trunk_steps(resolved()), 30);
  EXPECT_EQ(trunk_steps(resolved([](TrainConfig& c) { c.schedule.decay = 0; })), 38)
      << "the training loss is a mean over the last 2 steps";
}

}  // namespace
}  // namespace bitlaw
