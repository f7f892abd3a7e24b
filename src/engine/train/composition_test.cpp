// A sequence is rounded by itself for every granularity but one: neither the rest of the batch nor
// its distribution over lanes and threads changes a bit of its loss. With scales per batch, the rest
// of the batch does, and its distribution still does not.
#include <gtest/gtest.h>

#include <cstring>

#include "train/synthetic_text.h"
#include "train/trainer.h"

namespace bitlaw {
namespace {

constexpr int64_t kSequence = 64;  // a power of two, so that means are exact

struct Case {
  const char *bits, *weights, *rest;
};
constexpr Case kCases[] = {
    {"4", "channel", "sequence"},   {"4", "tensor", "token"},         {"4", "channel", "channel"},
    {"4", "group32", "group32"},    {"8", "group24", "group16"},      {"12", "channel", "sequence"},
    {"e4m3", "channel", "channel"}, {"e5m10", "group32", "sequence"},
};

TrainerOptions options_of(const Case& recipe, int64_t sequences, int64_t lanes, int threads) {
  ModelConfig model;
  model.width = 96;
  model.layers = 2;
  model.heads = 2;
  model.sequence = kSequence;
  model.vocabulary = kSyntheticVocabulary;
  RecipeConfig config;
  config.weights = config.activations = config.kv = config.queries = recipe.bits;
  config.weights_granularity = recipe.weights;
  config.activations_granularity = config.kv_granularity = recipe.rest;
  return {.model = model.resolved(),
          .recipe = make_recipe(config),
          .batch_sequences = sequences,
          .lanes = lanes,
          .threads = threads};
}

// Sequence `index` of a batch is the text's piece `first` + index: the more varied, the later.
SequenceSource pieces_from(int64_t first) {
  return [first](int64_t, int64_t index, std::span<uint16_t> tokens) {
    for (size_t t = 0; t < tokens.size(); ++t) {
      const auto kinds = static_cast<uint64_t>(1 + 5 * (first + index));
      tokens[t] = static_cast<uint16_t>(
          random_below(9, static_cast<uint64_t>(first + index), t,
                       kinds < kSyntheticVocabulary ? kinds : uint64_t{kSyntheticVocabulary}));
    }
  };
}

TEST(Trainer, ASequenceIsRoundedAlone) {
  for (const Case& recipe : kCases) {
    SCOPED_TRACE(testing::Message() << recipe.bits << " " << recipe.weights << " " << recipe.rest);
    std::vector<double> alone;
    for (int64_t i = 0; i < 4; ++i) {
      Trainer trainer(options_of(recipe, 1, 1, 1));
      alone.push_back(trainer.step(pieces_from(i), 1e-3).loss_nats);
    }
    EXPECT_NE(alone[0], alone[1]);
    for (int64_t lanes : {1, 2, 4}) {
      Trainer trainer(options_of(recipe, 4, lanes, 1));
      const double together = trainer.step(pieces_from(0), 1e-3).loss_nats;
      // Lanes add doubles of 53 bits in another order: four terms, three additions.
      EXPECT_NEAR(together, (alone[0] + alone[1] + alone[2] + alone[3]) / 4, together * 0x1p-50)
          << lanes << " lanes";
    }
    Trainer pair(options_of(recipe, 2, 2, 2));
    EXPECT_EQ(pair.step(pieces_from(1), 1e-3).loss_nats, (alone[1] + alone[2]) / 2);
  }
}

TEST(Trainer, EveryRecipeGivesTheSameBitsForAnyNumberOfThreads) {
  for (const Case& recipe : kCases) {
    SCOPED_TRACE(testing::Message() << recipe.bits << " " << recipe.weights << " " << recipe.rest);
    Trainer one(options_of(recipe, 4, 4, 1)), three(options_of(recipe, 4, 4, 3));
    for (int step = 0; step < 2; ++step) {
      EXPECT_EQ(one.step(pieces_from(step), 1e-2).loss_nats,
                three.step(pieces_from(step), 1e-2).loss_nats);
    }
    EXPECT_EQ(std::memcmp(one.parameters().flat.raw(), three.parameters().flat.raw(),
                          one.parameters().flat.bytes()),
              0);
  }
}

TEST(Trainer, AScalePerBatchDependsOnTheBatchAloneNotOnLanesOrThreads) {
  for (const Case& recipe :
       {Case{"4", "channel", "batch"}, {"e4m3", "tensor", "batch"}, {"12", "channel", "batch"}}) {
    SCOPED_TRACE(recipe.bits);
    Trainer alone(options_of(recipe, 1, 1, 1));
    const Case per_sequence{recipe.bits, recipe.weights, "sequence"};
    Trainer sequence(options_of(per_sequence, 1, 1, 1));
    EXPECT_EQ(alone.step(pieces_from(0), 1e-3).loss_nats,
              sequence.step(pieces_from(0), 1e-3).loss_nats)
        << "a batch of one";
    Trainer apart(options_of(per_sequence, 4, 2, 1));
    const double own_scales = apart.step(pieces_from(0), 1e-3).loss_nats;
    double first = 0;
    for (const int64_t lanes : {1, 2, 4}) {
      Trainer one(options_of(recipe, 4, lanes, 1));
      std::vector<StepResult> expected;
      for (int step = 0; step < 3; ++step) expected.push_back(one.step(pieces_from(step), 1e-2));
      EXPECT_NE(expected[0].loss_nats, own_scales);
      if (first == 0) first = expected[0].loss_nats;
      // Lanes add doubles of 53 bits in another order: four terms, three additions.
      EXPECT_NEAR(expected[0].loss_nats, first, first * 0x1p-50) << lanes << " lanes";
      for (const int threads : {2, 3}) {
        Trainer many(options_of(recipe, 4, lanes, threads));
        for (int step = 0; step < 3; ++step) {
          const StepResult actual = many.step(pieces_from(step), 1e-2);
          EXPECT_EQ(actual.loss_nats, expected[static_cast<size_t>(step)].loss_nats);
          EXPECT_EQ(actual.gradient_norm, expected[static_cast<size_t>(step)].gradient_norm);
        }
        EXPECT_EQ(std::memcmp(one.parameters().flat.raw(), many.parameters().flat.raw(),
                              one.parameters().flat.bytes()),
                  0)
            << lanes << " lanes, " << threads << " threads";
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
