// The same bits for any number of threads, for every kind of recipe and shape: the trainer
// guarantees that the order of additions never depends on threads.
#include <gtest/gtest.h>

#include "tensor/same_bits_for_tests.h"
#include "train/synthetic_text.h"
#include "train/trainer.h"

namespace bitlaw {
namespace {

constexpr int64_t kSequence = 40;

struct Case {
  const char* name;
  RecipeConfig recipe;
  int64_t kv_heads = 4;
  bool extra_norm = false, tied_head = false;
  int64_t batch_sequences = 7, lanes = 4;
  DType gradient_dtype = DType::kBF16;
};

std::vector<Case> cases() {
  const RecipeConfig low{.weights = "4", .activations = "4", .kv = "4"};
  const RecipeConfig fp32{.weights = "32", .activations = "32", .kv = "32", .queries = "32"};
  const RecipeConfig per_token{.weights = "6",
                               .activations = "8",
                               .kv = "5",
                               .queries = "7",
                               .weights_granularity = "tensor",
                               .activations_granularity = "token",
                               .kv_granularity = "token"};
  const RecipeConfig groups{.weights = "4",
                            .activations = "e2m1",
                            .kv = "4",
                            .weights_granularity = "group32",
                            .activations_granularity = "group32",
                            .kv_granularity = "group16"};
  const RecipeConfig channels{.weights = "3",
                              .activations = "8",
                              .kv = "e4m3",
                              .activations_granularity = "channel",
                              .kv_granularity = "channel"};
  const RecipeConfig blocks{
      .weights = "nvfp4", .activations = "mxfp4", .kv = "nvfp4", .queries = "mxint8"};
  const RecipeConfig rotated{.weights = "4+gauss+hadamard+trust",
                             .activations = "3+gauss+hadamard+trust",
                             .kv = "4+hadamard16",
                             .queries = "kv",
                             .activations_granularity = "token"};
  const RecipeConfig wide{.weights = "12", .activations = "10", .kv = "9"};
  return {{.name = "bf16"},
          {.name = "w4a4kv4", .recipe = low},
          {.name = "w4a4kv4, grouped queries, extra norm",
           .recipe = low,
           .kv_heads = 2,
           .extra_norm = true},
          {.name = "w4a4kv4, tied, as many lanes as sequences",
           .recipe = low,
           .tied_head = true,
           .lanes = 7},
          {.name = "w4a4kv4, backward fp32", .recipe = low, .gradient_dtype = DType::kF32},
          {.name = "fp32", .recipe = fp32, .gradient_dtype = DType::kF32},
          {.name = "per token", .recipe = per_token},
          {.name = "groups", .recipe = groups, .kv_heads = 1},
          {.name = "block formats", .recipe = blocks, .extra_norm = true},
          {.name = "rotated", .recipe = rotated, .kv_heads = 1, .extra_norm = true},
          {.name = "quartet", .recipe = {.named = "quartet-forward-mxfp4"}, .lanes = 3},
          {.name = "per channel", .recipe = channels, .extra_norm = true},
          {.name = "9 to 12 bits", .recipe = wide, .lanes = 3}};
}

SequenceSource text_source() {
  static const std::vector<Token> text = synthetic_text(20'000, kSyntheticVocabulary, 1);
  return [](int64_t step, int64_t index, std::span<uint16_t> tokens) {
    const uint64_t begin = random_below(3, static_cast<uint64_t>(index),
                                        static_cast<uint64_t>(step), text.size() - kSequence - 1);
    std::copy_n(text.begin() + static_cast<int64_t>(begin), tokens.size(), tokens.begin());
  };
}

TEST(TrainerThreads, DoNotChangeABit) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    ModelConfig model{.width = 48,
                      .layers = 2,
                      .heads = 4,
                      .kv_heads = c.kv_heads,
                      .vocabulary = kSyntheticVocabulary,
                      .sequence = kSequence};
    model.tied_head = c.tied_head;
    model.extra_norm = c.extra_norm;
    TrainerOptions options{.model = model.resolved(),
                           .recipe = make_recipe(c.recipe),
                           .batch_sequences = c.batch_sequences,
                           .lanes = c.lanes,
                           .gradient_dtype = c.gradient_dtype};
    constexpr int kSteps = 3;
    Trainer one(options);
    std::vector<StepResult> expected;
    for (int step = 0; step < kSteps; ++step) expected.push_back(one.step(text_source(), 1e-2));
    EXPECT_NE(expected.front().loss_nats, expected.back().loss_nats);
    for (int threads : {2, 3, 4}) {
      SCOPED_TRACE(threads);
      options.threads = threads;
      Trainer many(options);
      for (const StepResult& result : expected) {
        const StepResult actual = many.step(text_source(), 1e-2);
        EXPECT_EQ(actual.loss_nats, result.loss_nats);
        EXPECT_EQ(actual.gradient_norm, result.gradient_norm);
      }
      EXPECT_TRUE(same_bits(many.parameters().flat, one.parameters().flat));
      EXPECT_TRUE(same_bits(many.first_moment(), one.first_moment()));
      EXPECT_TRUE(same_bits(many.second_moment(), one.second_moment()));
    }
  }
}

}  // namespace
}  // namespace bitlaw
