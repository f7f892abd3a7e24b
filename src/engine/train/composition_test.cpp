// A sequence is rounded by itself for every granularity: neither the rest of the batch nor its
// distribution over lanes and threads changes a bit of its loss.
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

}  // namespace
}  // namespace bitlaw
