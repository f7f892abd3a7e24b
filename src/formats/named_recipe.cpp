#include "formats/named_recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/error.h"
#include "base/names.h"
#include "formats/recipe.h"
#include "formats/role_format.h"
#include "formats/role_name.h"

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

const NamedRecipe& find_recipe(const std::string& name) {
  const auto* const found =
      std::find_if(std::begin(kNamedRecipes), std::end(kNamedRecipes),
                   [&](const NamedRecipe& each) { return name == each.name; });
  if (found != std::end(kNamedRecipes)) return *found;
  std::vector<std::string> names;
  for (const NamedRecipe& each : kNamedRecipes) names.emplace_back(each.name);
  throw Error("recipe.named: " + unknown_name("recipe", name, names));
}

// Whether two names of a role's format mean the same: "4+trust+gauss" and "int4+gauss+trust".
bool same_format(const char* role, const std::string& a, const std::string& b) {
  const auto read = [&](const std::string& text) {
    return in_role(role_format(role_name(role, text)), {});
  };
  try {
    return a == b || read(a) == read(b);
  } catch (const Error&) {
    return false;
  }
}

// What a named recipe gives is left out or said again. Another value is refused, also the one that
// the key has without a named recipe.
void give(const NamedRecipe& recipe, const char* key, const std::string& value, bool is_said_again,
          std::string& field) {
  if (!field.empty() && !is_said_again) {
    throw Error(
        fmt::format("recipe.{} = {}: recipe.named = {} gives it ({}); leave one of the two out",
                    key, field, recipe.name, value));
  }
  field = value;
}

void give_format(const NamedRecipe& recipe, const char* key, std::string& field) {
  give(recipe, key, recipe.projections, same_format(key, field, recipe.projections), field);
}

// A published block format says its block itself, so its recipe gives none.
void give_granularity(const NamedRecipe& recipe, const char* key, const std::string& value,
                      std::string& field) {
  if (!value.empty()) give(recipe, key, value, field == value, field);
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
  RecipeConfig out = config;
  out.named.clear();
  if (!config.named.empty()) {
    const NamedRecipe& recipe = find_recipe(config.named);
    give_format(recipe, "weights", out.weights);
    give_format(recipe, "activations", out.activations);
    give_granularity(recipe, "weights_granularity", recipe.weights_granularity,
                     out.weights_granularity);
    give_granularity(recipe, "activations_granularity", recipe.activations_granularity,
                     out.activations_granularity);
  }
  const auto or_usual = [](std::string& field, const char* usual) {
    if (field.empty()) field = usual;
  };
  or_usual(out.weights, "16");
  or_usual(out.activations, "16");
  or_usual(out.weights_granularity, "channel");
  or_usual(out.activations_granularity, "sequence");
  return out;
}

}  // namespace bitlaw
