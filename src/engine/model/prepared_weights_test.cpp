// Weights rounded and packed once per optimizer step give the same bits as weights rounded and
// packed at every use: all losses and all gradients of a step, for every kind of recipe and shape.
#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"
#include "model/model.h"
#include "tensor/same_bits_for_tests.h"

namespace bitlaw {
namespace {

constexpr int64_t kSequences = 3;  // of one step
constexpr int64_t kSequence = 33;

struct Shape {
  const char* name;
  int64_t kv_heads;
  bool tied_head, extra_norm;
};
constexpr Shape kShapes[] = {{"plain", 4, false, false},
                             {"grouped queries, one more norm", 2, false, true},
                             {"tied", 4, true, false}};

const RecipeConfig kRecipes[] = {
    {},
    {.weights = "32", .activations = "32", .kv = "32", .queries = "32"},
    {.weights = "4", .activations = "4", .kv = "4"},
    {.weights = "8", .activations = "8", .kv = "8", .queries = "8"},
    {.weights = "12", .activations = "12", .kv = "12"},
    {.weights = "3",
     .activations = "6",
     .kv = "5",
     .weights_granularity = "tensor",
     .activations_granularity = "token"},
    {.weights = "4",
     .activations = "4",
     .kv = "4",
     .weights_granularity = "group32",
     .activations_granularity = "group32",
     .kv_granularity = "group16"},
    {.weights = "mxfp4", .activations = "nvfp4", .kv = "mxint8"},
    {.weights = "nvfp4", .activations = "mxfp6-e3m2", .kv = "nvfp4"},
    {.weights = "e2m1",
     .activations = "e4m3",
     .kv = "e3m2",
     .activations_granularity = "channel",
     .kv_granularity = "channel"},
};

ModelConfig config_of(const Shape& shape) {
  ModelConfig config = {.width = 48,
                        .layers = 2,
                        .heads = 4,
                        .kv_heads = shape.kv_heads,
                        .hidden = 80,
                        .vocabulary = 70,
                        .sequence = kSequence};
  config.tied_head = shape.tied_head;
  config.extra_norm = shape.extra_norm;
  return config.resolved();
}

struct Step {
  std::vector<Tensor> losses;  // of each sequence, [T]
  Parameters gradients;
};

// One step of three sequences; `fresh`: a separate model for every sequence, with weights that it
// has just rounded and packed, instead of one for all.
Step run_step(const ModelConfig& config, const Recipe& recipe, DType gradient_dtype, bool fresh) {
  Context context;
  context.gradient_dtype = gradient_dtype;
  Model shared(config, recipe);
  Parameters parameters = shared.make_parameters();
  shared.initialize(parameters, 3);
  shared.prepare(context, parameters, true);
  Step step{{}, shared.make_parameters()};
  const ActivationsPtr activations = make_activations(shared, true, gradient_dtype);
  for (int64_t i = 0; i < kSequences; ++i) {
    std::vector<uint16_t> tokens(kSequence + 1);
    for (size_t t = 0; t < tokens.size(); ++t) {
      tokens[t] = static_cast<uint16_t>(
          random_below(1, static_cast<uint64_t>(i), t, static_cast<uint64_t>(config.vocabulary)));
    }
    const std::span<const uint16_t> all(tokens);
    Tensor losses = Tensor::zeros(DType::kF32, {kSequence});
    Model own(config, recipe);
    if (fresh) own.prepare(context, parameters, true);
    (fresh ? own : shared)
        .forward_backward(context, parameters, all.first(kSequence), all.subspan(1),
                          1.0 / (kSequences * kSequence), *activations, losses, step.gradients);
    step.losses.push_back(losses);
  }
  return step;
}

TEST(PreparedWeights, OncePerStepIsTheSameAsAtEveryUse) {
  for (const Shape& shape : kShapes) {
    for (const RecipeConfig& recipe_config : kRecipes) {
      for (DType gradient_dtype : {DType::kBF16, DType::kF32}) {
        const Recipe recipe = make_recipe(recipe_config);
        SCOPED_TRACE(testing::Message() << shape.name << ", " << recipe.name() << ", gradients "
                                        << name_of(gradient_dtype));
        const ModelConfig config = config_of(shape);
        const Step once = run_step(config, recipe, gradient_dtype, false);
        const Step each = run_step(config, recipe, gradient_dtype, true);
        for (int64_t i = 0; i < kSequences; ++i) {
          EXPECT_TRUE(same_bits(once.losses[i], each.losses[i])) << "losses of sequence " << i;
        }
        EXPECT_TRUE(same_bits(once.gradients.flat, each.gradients.flat));
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
