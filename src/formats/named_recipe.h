// Recipes known from papers, as settings of the keys of a recipe: recipe.named = "quest-w4a4". They
// have what those papers do in the forward pass of the projections; their backward passes are not
// rounded here. Each says what it contains of its paper and what it does not; so does
// docs/formats.md.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace bitlaw {

struct RecipeConfig;

struct NamedRecipe {
  const char* name;
  const char* source;
  const char* contains;
  const char* lacks;
  // Weights and activations; keys, values and queries are the user's.
  const char* projections;
  // What shares a scale, where the format does not say it.
  const char* weights_granularity;
  const char* activations_granularity;
};

std::span<const NamedRecipe> named_recipes();
// For --help: one paragraph for each.
std::string named_recipes_help();

// The same recipe with every key set, without a name. Error if there is no such recipe, or if a key
// that it gives is set to something else, be it the key's usual value.
RecipeConfig spelled_out(const RecipeConfig& config);

}  // namespace bitlaw
