#include "formats/named_recipe.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/recipe.h"

namespace bitlaw {
namespace {

TEST(NamedRecipe, IsTheSameAsItsKeys) {
  for (const NamedRecipe& each : named_recipes()) {
    const RecipeConfig config = spelled_out({.named = each.name, .kv = "4"});
    EXPECT_EQ(config.named, "");
    EXPECT_EQ(config.kv, "4");
    EXPECT_EQ(make_recipe({.named = each.name, .kv = "4"}), make_recipe(config));
    EXPECT_EQ(make_recipe(config).weights.format_name(), each.projections);
    EXPECT_EQ(make_recipe(config).activations.format_name(), each.projections);
    // Said again is said once.
    EXPECT_EQ(make_recipe({.named = each.name, .weights = each.projections}),
              make_recipe({.named = each.name}));
    EXPECT_NE(named_recipes_help().find(each.name), std::string::npos);
    EXPECT_NE(named_recipes_help().find(each.lacks), std::string::npos);
  }
  EXPECT_EQ(spelled_out({.weights = "3"}).weights, "3");
  const RecipeConfig usual = spelled_out({});
  EXPECT_EQ(usual.weights, "16");
  EXPECT_EQ(usual.activations, "16");
  EXPECT_EQ(usual.weights_granularity, "channel");
  EXPECT_EQ(usual.activations_granularity, "sequence");
}

// What is said again may be spelled in another way, and a block format takes its own block.
TEST(NamedRecipe, IsSaidAgainInOtherWords) {
  EXPECT_EQ(make_recipe({.named = "quest-w4a4", .weights = "4+trust+hadamard128+gauss"}),
            make_recipe({.named = "quest-w4a4"}));
  EXPECT_EQ(
      make_recipe(
          {.named = "nvfp4-forward", .activations = "NVFP4", .weights_granularity = "group16"}),
      make_recipe({.named = "nvfp4-forward"}));
}

TEST(NamedRecipe, ContradictionsAreErrors) {
  const auto error_of = [](const RecipeConfig& config) -> std::string {
    try {
      make_recipe(config);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(error_of({.named = "quest"}).find("did you mean 'quest-w4a4'?"), std::string::npos);
  EXPECT_NE(error_of({.named = "quest-w4a4", .weights = "3"}).find("leave one of the two out"),
            std::string::npos);
  EXPECT_NE(error_of({.named = "quest-w4a4", .activations_granularity = "batch"})
                .find("recipe.named = quest-w4a4 gives it (token)"),
            std::string::npos);
  EXPECT_NE(error_of({.named = "nvfp4-forward", .weights_granularity = "group64"})
                .find("blocks of 16, not group64"),
            std::string::npos);
  // The value that a key has without a named recipe is another value, too.
  EXPECT_EQ(error_of({.named = "nvfp4-forward", .activations = "16"}),
            "recipe.activations = 16: recipe.named = nvfp4-forward gives it (nvfp4); leave one of "
            "the two out");
  EXPECT_NE(error_of({.named = "quest-w4a4", .weights = "BF16"}).find("recipe.weights = BF16: "),
            std::string::npos);
  EXPECT_NE(error_of({.named = "quest-w4a4", .activations_granularity = "sequence"})
                .find("recipe.activations_granularity = sequence: "),
            std::string::npos);
}

}  // namespace
}  // namespace bitlaw
