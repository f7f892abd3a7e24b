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
}

}  // namespace
}  // namespace bitlaw
