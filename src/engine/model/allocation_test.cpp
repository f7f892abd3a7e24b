// After the first one, a forward and backward pass of a sequence allocates nothing.
#include <gtest/gtest.h>

#include "formats/recipe.h"
#include "model/count_allocations_for_tests.h"
#include "model/model.h"

namespace bitlaw {
namespace {

TEST(Allocations, AreCounted) {
  if (!kCountsAllocations) GTEST_SKIP() << "sanitizers have their own allocator";
  const int64_t before = allocations.count;
  const Tensor tensor = Tensor::empty(DType::kF32, {3});
  EXPECT_GT(allocations.count, before);
}

TEST(Allocations, ThereAreNoneInASequenceAfterTheFirst) {
  if (!kCountsAllocations) GTEST_SKIP() << "sanitizers have their own allocator";
  const RecipeConfig recipes[] = {
      {},
      {.weights = "32", .activations = "32", .kv = "32", .queries = "32"},
      {.weights = "4", .activations = "4", .kv = "4"},
      {.weights = "8", .activations = "8", .kv = "8", .queries = "8"},
      {.weights = "9", .activations = "12", .kv = "15", .queries = "10"},
      {.weights = "e2m1", .activations = "e4m3", .kv = "e3m2", .queries = "e5m2"},
      {.weights = "mxfp4", .activations = "nvfp4", .kv = "mxint8", .queries = "nvfp4"},
      {.weights = "int8-e4m3",
       .activations = "int12-e8m0",
       .kv = "int8-e4m3",
       .queries = "kv",
       .weights_granularity = "group16",
       .activations_granularity = "group32",
       .kv_granularity = "group16"},
      {.weights = "3",
       .activations = "6",
       .kv = "5",
       .queries = "7",
       .weights_granularity = "tensor",
       .activations_granularity = "token",
       .kv_granularity = "token"},
      {.weights = "4",
       .activations = "4",
       .kv = "4",
       .queries = "4",
       .weights_granularity = "group8",
       .activations_granularity = "channel",
       .kv_granularity = "channel"},
      {.weights = "4",
       .activations = "4",
       .kv = "4",
       .queries = "4",
       .weights_granularity = "group32",
       .activations_granularity = "group32",
       .kv_granularity = "group16"},
  };
  struct Shape {
    int64_t kv_heads;
    bool tied_head, extra_norm;
    int64_t sequence;  // 150: more than one block of queries, the last one a part
  };
  const Shape shapes[] = {{4, false, false, 16}, {2, false, true, 150}, {1, true, false, 150}};
  for (const RecipeConfig& recipe : recipes) {
    for (const Shape& shape : shapes) {
      const int64_t T = shape.sequence;
      ModelConfig config = {.width = 64,
                            .layers = 2,
                            .heads = 4,
                            .kv_heads = shape.kv_heads,
                            .hidden = 80,
                            .vocabulary = 300,
                            .sequence = T};
      config.tied_head = shape.tied_head;
      config.extra_norm = shape.extra_norm;
      Model model(config.resolved(), make_recipe(recipe));
      Context context;
      Parameters parameters = model.make_parameters(), gradients = model.make_parameters();
      model.initialize(parameters, 1);
      const ActivationsPtr activations = make_activations(model, true);
      Tensor losses = Tensor::zeros(DType::kF32, {T});
      std::vector<uint16_t> tokens(static_cast<size_t>(T) + 1, 5);
      const std::span<const uint16_t> all(tokens);
      const std::span<const uint16_t> inputs = all.first(static_cast<size_t>(T)),
                                      targets = all.subspan(1);
      model.prepare(context, parameters, true);
      auto allocations_of_a_pass = [&] {
        const int64_t before = allocations.count;
        model.forward_backward(context, parameters, inputs, targets, 1, *activations, losses,
                               gradients);
        return allocations.count - before;
      };
      allocations_of_a_pass();  // the workspace grows
      EXPECT_EQ(allocations_of_a_pass(), 0) << model.recipe().name() << ", T " << T;
      model.prepare(context, parameters, true);  // into the memory it has
      EXPECT_EQ(allocations_of_a_pass(), 0) << model.recipe().name() << ", T " << T;
    }
  }
}

}  // namespace
}  // namespace bitlaw
