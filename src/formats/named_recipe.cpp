#include "formats/named_recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/error.h"
#include "base/names.h"
#include "formats/recipe.h"

namespace bitlaw {
namespace {

constexpr NamedRecipe kNamedRecipes[] = {
    {.name = "quest-w4a4",
     .source = "QuEST, Panferov et al. 2025, arXiv 2502.05003",
     .contains =
         "weights and inputs of projections in 4-bit integers after a Hadamard rotation in blocks "
         "of 128, one scale per output channel and per token, the range of least error for normal "
         "numbers, and gradients only through what the range holds (its trust mask, with a "
         "threshold of half a step)",
     .lacks = "its grid of half-integers (here 0 is a code, and -8), blocks of 128 where the width "
              "is not a multiple of 128 (here the largest power of two that divides it), its "
              "learning rates",
     .projections = "int4+gauss+hadamard128+trust",
     .weights_granularity = "channel",
     .activations_granularity = "token"},
    {.name = "quartet-forward-mxfp4",
     .source = "Quartet, Castro et al. 2025, arXiv 2505.14669",
     .contains =
         "the forward pass of its projections: MXFP4 after a Hadamard rotation in blocks of 32, "
         "with QuEST's range rounded down to a power of two, and gradients only through what the "
         "range holds",
     .lacks = "its backward pass in MXFP4 (random rotations, stochastic rounding; here BF16), its "
              "threshold of the mask (6 times the scale; here 7), the mean of a block in its size",
     .projections = "mxfp4+gauss+hadamard32+trust",
     .weights_granularity = "",
     .activations_granularity = ""},
    {.name = "nvfp4-forward",
     .source = "NVIDIA, Pretraining Large Language Models with NVFP4, 2025, arXiv 2509.25149",
     .contains =
         "weights and inputs of projections in NVFP4, blocks of 16 along a row, abs-max range",
     .lacks = "its backward pass in NVFP4 (a random Hadamard rotation of the operands of weight "
              "gradients, stochastic rounding; here BF16), its square blocks of 16 x 16 weights, "
              "and the layers that it keeps in BF16",
     .projections = "nvfp4",
     .weights_granularity = "",
     .activations_granularity = ""},
};

// What a named recipe gives is either left alone or said again.
void give(const NamedRecipe& recipe, const char* key, const std::string& value,
          const std::string& left_alone, std::string& field) {
  if (field != left_alone && field != value) {
    throw Error(
        fmt::format("recipe.{} = {}: recipe.named = {} gives it ({}); leave one of the two out",
                    key, field, recipe.name, value));
  }
  field = value;
}

}  // namespace

std::span<const NamedRecipe> named_recipes() {
  return kNamedRecipes;
}

std::string named_recipes_help() {
  std::string out;
  for (const NamedRecipe& each : kNamedRecipes) {
    out += fmt::format("{} ({}): {}. Not in it: {}.\n", each.name, each.source, each.contains,
                       each.lacks);
  }
  return out;
}

RecipeConfig spelled_out(const RecipeConfig& config) {
  if (config.named.empty()) return config;
  const auto* const found =
      std::find_if(std::begin(kNamedRecipes), std::end(kNamedRecipes),
                   [&](const NamedRecipe& each) { return config.named == each.name; });
  if (found == std::end(kNamedRecipes)) {
    std::vector<std::string> names;
    for (const NamedRecipe& each : kNamedRecipes) names.emplace_back(each.name);
    throw Error("recipe.named: " + unknown_name("recipe", config.named, names));
  }
  const RecipeConfig defaults;
  const auto or_default = [](const char* text, const std::string& other) {
    return *text == '\0' ? other : std::string(text);
  };
  RecipeConfig out = config;
  out.named.clear();
  give(*found, "weights", found->projections, defaults.weights, out.weights);
  give(*found, "activations", found->projections, defaults.activations, out.activations);
  give(*found, "weights_granularity",
       or_default(found->weights_granularity, defaults.weights_granularity),
       defaults.weights_granularity, out.weights_granularity);
  give(*found, "activations_granularity",
       or_default(found->activations_granularity, defaults.activations_granularity),
       defaults.activations_granularity, out.activations_granularity);
  return out;
}

}  // namespace bitlaw
