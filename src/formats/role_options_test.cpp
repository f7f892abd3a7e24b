#include "formats/role_options.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/recipe.h"

namespace bitlaw {
namespace {

TEST(RoleOptions, AreReadBackInOneOrder) {
  for (const char* name : {"", "+clip", "+gauss", "+hadamard", "+hadamard32", "+trust",
                           "+clip+hadamard", "+gauss+hadamard128+trust"}) {
    EXPECT_EQ(parse_role_options(name).name(), name);
  }
  EXPECT_EQ(parse_role_options("+trust+hadamard+clip").name(), "+clip+hadamard+trust");
  EXPECT_EQ(parse_role_options("+hadamard65536").name(), "+hadamard");
}

TEST(RoleOptions, StandBehindAFormat) {
  EXPECT_EQ(without_options("mxfp4+clip+hadamard"), "mxfp4");
  EXPECT_EQ(without_options("int4"), "int4");
}

std::string refusal_of(const RecipeConfig& config) {
  try {
    make_recipe(config);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(RoleOptions, ErrorsSayWhatIsWrong) {
  struct Row {
    const char* weights;
    const char* says;
  };
  for (const Row& row :
       {Row{"4+", "not followed"}, Row{"4+clipp", "did you mean 'clip'?"},
        Row{"4+clip+clip", "stands twice"}, Row{"4+clip+gauss", "use one of the two"},
        Row{"4+hadamard24", "a power of two wide"}, Row{"4+hadamard1", "a power of two wide"},
        Row{"16+gauss", "has no scale"}, Row{"16+trust", "has no scale"},
        Row{"int4-clip", "write +clip instead of -clip"},
        Row{"4+hadamard",
            "recipe.weights has +hadamard and recipe.activations has no +hadamard"}}) {
    EXPECT_NE(refusal_of({.weights = row.weights}).find(row.says), std::string::npos)
        << row.weights << ": " << refusal_of({.weights = row.weights});
  }
  EXPECT_EQ(refusal_of({.weights = "4+hadamard64", .activations = "4+hadamard32"}),
            "recipe.weights has +hadamard64 and recipe.activations has +hadamard32: a product is "
            "unchanged only if both of its operands are rotated in the same blocks; write "
            "+hadamard32 on both, for example");
  EXPECT_NE(refusal_of({.kv = "4+hadamard", .queries = "4+hadamard16"}).find("+hadamard16 on both"),
            std::string::npos);
  EXPECT_NE(refusal_of({.kv = "4+hadamard"}).find("queries = kv"), std::string::npos);
  EXPECT_NE(refusal_of({.kv = "4+trust"}).find("for weights and activations"), std::string::npos);
  EXPECT_NE(refusal_of({.activations = "4+gauss", .activations_granularity = "batch"})
                .find("not to a batch"),
            std::string::npos);
  EXPECT_NE(refusal_of({.activations = "4+clip", .activations_granularity = "channel"})
                .find("consecutive numbers"),
            std::string::npos);
}

TEST(RoleOptions, OfARecipeAreInItsNames) {
  const Recipe recipe = make_recipe({.weights = "4+trust+hadamard32",
                                     .activations = "8+hadamard32",
                                     .kv = "6+hadamard",
                                     .queries = "16+hadamard"});
  EXPECT_EQ(recipe.name(),
            "weights=int4+hadamard32+trust/channel activations=int8+hadamard32/sequence "
            "keys=int6+hadamard/sequence values=int6/sequence queries=bf16+hadamard");
  EXPECT_EQ(recipe.weights.format_name(), "int4+hadamard32+trust");
  EXPECT_EQ(recipe.projection_rotation(48), 16);
  EXPECT_EQ(recipe.projection_rotation(128), 32);
  EXPECT_EQ(recipe.head_rotation(128), 128);
  EXPECT_EQ(parse_quantizer("int4+hadamard32+trust/channel"), recipe.weights);
  const Recipe plain = make_recipe({.weights = "4", .activations = "8"});
  EXPECT_EQ(plain.projection_rotation(48), 1);
  EXPECT_EQ(plain.head_rotation(128), 1);
  // Not BF16 by its name alone: both operands are rotated.
  EXPECT_EQ(make_recipe({.weights = "16+hadamard", .activations = "16+hadamard"}).name(),
            "weights=bf16+hadamard activations=bf16+hadamard keys=bf16 values=bf16 queries=bf16");
}

}  // namespace
}  // namespace bitlaw
