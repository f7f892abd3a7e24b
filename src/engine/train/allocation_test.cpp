// After the first few, an optimizer step allocates no memory.
#include <gtest/gtest.h>

#include "model/count_allocations_for_tests.h"
#include "train/trainer.h"

namespace bitlaw {
namespace {

struct StepAllocations {
  int64_t count, bytes;
};

StepAllocations allocations_of_a_step(const RecipeConfig& recipe, DType gradient_dtype,
                                      int64_t batch_sequences) {
  ModelConfig model{
      .width = 64, .layers = 2, .heads = 4, .kv_heads = 2, .vocabulary = 300, .sequence = 80};
  model.extra_norm = true;
  // One thread: with more, it is a matter of chance when each has seen its first sequence.
  Trainer trainer({.model = model.resolved(),
                   .recipe = make_recipe(recipe),
                   .batch_sequences = batch_sequences,
                   .lanes = 4,
                   .gradient_dtype = gradient_dtype});
  const SequenceSource source = [](int64_t step, int64_t index, std::span<uint16_t> tokens) {
    for (size_t t = 0; t < tokens.size(); ++t) {
      tokens[t] = static_cast<uint16_t>((static_cast<size_t>(step + 7 * index) + 13 * t) % 300);
    }
  };
  for (int step = 0; step < 3; ++step) trainer.step(source, 1e-3);
  const int64_t count = allocations.count, bytes = allocations.bytes;
  trainer.step(source, 1e-3);
  return {allocations.count - count, allocations.bytes - bytes};
}

TEST(TrainerAllocations, ThereAreNone) {
  if (!kCountsAllocations) GTEST_SKIP() << "sanitizers have their own allocator";
  const RecipeConfig recipes[] = {
      {},
      {.weights = "4", .activations = "4", .kv = "4"},
      {.weights = "12", .activations = "12", .kv = "12", .queries = "12"},
      {.weights = "4",
       .activations = "4",
       .kv = "4",
       .weights_granularity = "group32",
       .activations_granularity = "token",
       .kv_granularity = "channel"},
      {.weights = "4",
       .activations = "4",
       .kv = "4",
       .queries = "kv",
       .activations_granularity = "batch",
       .kv_granularity = "batch"},
      {.weights = "32", .activations = "32", .kv = "32", .queries = "32"},
  };
  for (const RecipeConfig& recipe : recipes) {
    for (DType gradient_dtype : {DType::kBF16, DType::kF32}) {
      SCOPED_TRACE(testing::Message()
                   << make_recipe(recipe).name() << ", gradients " << name_of(gradient_dtype));
      const StepAllocations step = allocations_of_a_step(recipe, gradient_dtype, 8);
      EXPECT_EQ(step.count, 0) << step.bytes << " bytes";
    }
  }
}

}  // namespace
}  // namespace bitlaw
