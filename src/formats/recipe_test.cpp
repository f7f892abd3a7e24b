#include "formats/recipe.h"

#include <gtest/gtest.h>

#include "base/config.h"
#include "base/error.h"

namespace bitlaw {
namespace {

TEST(Recipe, DefaultIsBf16) {
  EXPECT_EQ(make_recipe({}), Recipe{});
  EXPECT_EQ(Recipe{}.name(), "bf16");
}

TEST(Recipe, ConfigurationGivesEveryRoleItsQuantizer) {
  RecipeConfig config;
  config.weights = "e2m1";
  config.activations = "4";
  config.kv = "int3";
  config.queries = "8";
  config.weights_granularity = "group32";
  config.activations_granularity = "token";
  config.kv_granularity = "channel";
  const Recipe recipe = make_recipe(config);
  EXPECT_EQ(recipe.weights, parse_quantizer("e2m1/group32"));
  EXPECT_EQ(recipe.activations, parse_quantizer("int4/token"));
  EXPECT_EQ(recipe.keys, parse_quantizer("int3/channel"));
  EXPECT_EQ(recipe.values, parse_quantizer("int3/channel"));
  EXPECT_EQ(recipe.queries, parse_quantizer("int8/channel"));
}

RecipeConfig bits(const std::string& w, const std::string& a, const std::string& kv,
                  const std::string& q) {
  RecipeConfig config;
  config.weights = w;
  config.activations = a;
  config.kv = kv;
  config.queries = q;
  return config;
}

TEST(Recipe, NamesAreShortWhereTheyCanBe) {
  EXPECT_EQ(make_recipe(bits("4", "4", "4", "16")).name(), "w4a4kv4");
  EXPECT_EQ(make_recipe(bits("4", "4", "4", "4")).name(), "w4a4kv4q4");
  EXPECT_EQ(make_recipe(bits("3", "16", "16", "16")).name(), "w3a16kv16");
  EXPECT_EQ(make_recipe(bits("32", "32", "32", "32")).name(), "fp32");
  EXPECT_EQ(make_recipe(bits("4", "32", "32", "32")).name(), "w4a32kv32q32");
  EXPECT_EQ(make_recipe(bits("e2m1", "16", "16", "16")).name(),
            "weights=e2m1/channel activations=bf16 keys=bf16 values=bf16 queries=bf16");
  EXPECT_EQ(make_recipe(bits("int16", "16", "16", "16")).name(),  // 16 alone is bf16
            "weights=int16/channel activations=bf16 keys=bf16 values=bf16 queries=bf16");
  RecipeConfig token = bits("4", "4", "16", "16");
  token.activations_granularity = "token";
  EXPECT_EQ(make_recipe(token).name(),
            "weights=int4/channel activations=int4/token keys=bf16 values=bf16 queries=bf16");
}

TEST(Recipe, GranularityWithoutScaleMakesNoDifference) {
  RecipeConfig config;
  config.weights_granularity = "group16";
  config.kv_granularity = "token";
  EXPECT_EQ(make_recipe(config), Recipe{});
}

TEST(Recipe, AxesFollowTheRole) {
  EXPECT_EQ(scale_axis(Role::kWeights, Granularity::kTensor), ScaleAxis::kTensor);
  EXPECT_EQ(scale_axis(Role::kWeights, Granularity::kChannel), ScaleAxis::kRow);
  EXPECT_EQ(scale_axis(Role::kWeights, Granularity::kGroup), ScaleAxis::kGroup);
  for (const Granularity of_tokens :
       {Granularity::kToken, Granularity::kSequence, Granularity::kBatch}) {
    EXPECT_THROW(scale_axis(Role::kWeights, of_tokens), Error);
  }
  for (const Role role : {Role::kActivations, Role::kKeys, Role::kValues, Role::kQueries}) {
    EXPECT_EQ(scale_axis(role, Granularity::kSequence), ScaleAxis::kTensor);
    EXPECT_EQ(scale_axis(role, Granularity::kBatch), ScaleAxis::kTensor);
    EXPECT_EQ(scale_axis(role, Granularity::kChannel), ScaleAxis::kColumn);
    EXPECT_EQ(scale_axis(role, Granularity::kToken), ScaleAxis::kRow);
    EXPECT_EQ(scale_axis(role, Granularity::kGroup), ScaleAxis::kGroup);
  }
}

std::string error_of(const RecipeConfig& config) {
  try {
    make_recipe(config);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// One name means the same everywhere (docs/formats.md).
TEST(Recipe, ARoleTakesTheNameOfItsPart) {
  EXPECT_EQ(make_recipe(bits("W4", "A8", "KV4", "16")), make_recipe(bits("4", "8", "4", "16")));
  EXPECT_EQ(make_recipe(bits("w4a16", "16", "16", "16")), make_recipe(bits("4", "16", "16", "16")));
  EXPECT_EQ(make_recipe(bits("W16A16", "BF16", "none", "16")), Recipe{});
  EXPECT_EQ(error_of(bits("W4A8", "16", "16", "16")),
            "recipe.weights: 'W4A8' is the precision of other parts, too; write 4, and "
            "recipe.activations = 8");
  EXPECT_EQ(
      error_of(bits("A8", "16", "16", "16")),
      "recipe.weights: 'A8' says nothing of this part, it is recipe.activations = 8; expected "
      "bits or a format, for example 4, int4 or mxfp4");
  EXPECT_NE(error_of(bits("W4-hadamard", "16", "16", "16")).find("more than a format"),
            std::string::npos);
  // IEEE half is a format that is rounded to; what is not quantized is BF16.
  EXPECT_EQ(make_recipe(bits("FP16", "16", "16", "16")).weights.format.name(), "e5m10");
}

TEST(Recipe, QueriesAsKeysAndValuesInAnyCase) {
  EXPECT_EQ(make_recipe(bits("16", "16", "4", "KV")), make_recipe(bits("16", "16", "4", "kv")));
  EXPECT_NE(error_of(bits("16", "16", "4", "kw")).find("; or kv: as keys and values"),
            std::string::npos);
}

TEST(Recipe, ErrorsNameTheKeyAndWhatItTakes) {
  EXPECT_EQ(error_of(bits("1", "16", "16", "16")),
            "recipe.weights: '1' is not a number of bits to round to; expected 2 to 16, for "
            "example 4, or a format such as e2m1 or mxfp4");
  const std::string format = error_of(bits("16", "16", "int44", "16"));
  EXPECT_EQ(format.rfind("recipe.kv: ", 0), 0u) << format;
  const std::string queries = error_of(bits("16", "16", "4", "x"));
  EXPECT_EQ(queries.rfind("recipe.queries: ", 0), 0u) << queries;
  RecipeConfig config;
  config.activations_granularity = "row";  // wrong even if nothing is scaled
  EXPECT_EQ(
      error_of(config),
      "recipe.activations_granularity: 'row' is not a granularity; expected sequence, channel, "
      "token, batch or groupG such as group32");
  config = {};
  config.weights_granularity = "token";
  EXPECT_EQ(error_of(config),
            "recipe.weights_granularity: weights have no tokens; expected tensor, channel or "
            "groupG such as group32");
}

TEST(Recipe, RolesHaveTheFormatsOfTheField) {
  RecipeConfig config = bits("mxfp4", "nvfp4", "mxfp8-e4m3", "kv");
  const Recipe recipe = make_recipe(config);
  EXPECT_EQ(recipe.weights, parse_quantizer("mxfp4"));
  EXPECT_EQ(recipe.activations, parse_quantizer("nvfp4"));
  EXPECT_EQ(recipe.keys, parse_quantizer("mxfp8-e4m3"));
  EXPECT_EQ(recipe.queries, recipe.values);
  EXPECT_EQ(recipe.name(),
            "weights=mxfp4 activations=nvfp4 keys=mxfp8-e4m3 values=mxfp8-e4m3 "
            "queries=mxfp8-e4m3");
  config.weights_granularity = "group32";  // which it is
  EXPECT_EQ(make_recipe(config), recipe);
  config = bits("int4-e8m0", "4-e4m3", "16", "16");
  config.weights_granularity = config.activations_granularity = "group64";
  EXPECT_EQ(make_recipe(config).weights, parse_quantizer("int4-e8m0/group64"));
  EXPECT_EQ(make_recipe(config).activations, parse_quantizer("int4-e4m3/group64"));
  EXPECT_EQ(make_recipe(bits("int4-e8m0", "4", "4", "16")).name(),
            "weights=int4-e8m0/channel activations=int4/sequence keys=int4/sequence "
            "values=int4/sequence queries=bf16");
}

TEST(Recipe, ABlockFormatRefusesAnotherBlock) {
  RecipeConfig config = bits("mxfp4", "16", "16", "16");
  config.weights_granularity = "group64";
  EXPECT_EQ(error_of(config),
            "recipe.weights: mxfp4 is defined with blocks of 32, not group64; leave the "
            "granularity out, or write e2m1-e8m0 for other blocks");
  config = bits("16", "16", "16", "nvfp4");
  config.kv_granularity = "token";
  EXPECT_EQ(error_of(config),
            "recipe.queries: nvfp4 is defined with blocks of 16, not token; leave the granularity "
            "out, or write e2m1-e4m3 for other blocks");
  EXPECT_EQ(error_of(bits("16", "mxfp5", "16", "16")),
            "recipe.activations: unknown number format 'mxfp5'; did you mean 'mxfp4'?");
}

// Up to version 0.2, per sequence was called tensor.
TEST(Recipe, TheOldNameOfPerSequenceIsReadWithANote) {
  RecipeConfig now = bits("4", "4", "4", "4"), old = now, plain = now;
  old.activations_granularity = "tensor";
  old.kv_granularity = "per-tensor";
  now.activations_granularity = "sequence";
  EXPECT_EQ(make_recipe(old), make_recipe(now));
  EXPECT_TRUE(notes_on_old_names(now).empty());
  EXPECT_EQ(notes_on_old_names(old),
            (std::vector<std::string>{
                "recipe.activations_granularity = tensor means one scale per sequence, whose name "
                "is now 'sequence'; 'batch' is one scale for all sequences of a step",
                "recipe.kv_granularity = per-tensor means one scale per sequence, whose name is "
                "now 'sequence'; 'batch' is one scale for all sequences of a step"}));
  plain.weights_granularity = "tensor";
  EXPECT_TRUE(notes_on_old_names(plain).empty()) << "a weight's tensor is one";
  plain.weights_granularity = "sequence";
  EXPECT_EQ(error_of(plain),
            "recipe.weights_granularity: weights have no tokens; expected tensor, channel or "
            "groupG such as group32");
}

TEST(Recipe, NamesInOldFilesMeanTheSame) {
  RecipeConfig config = bits("4", "e4m3", "4", "16");
  config.weights_granularity = "tensor";
  const std::string name = make_recipe(config).name();
  EXPECT_EQ(name,
            "weights=int4/tensor activations=e4m3/sequence keys=int4/sequence "
            "values=int4/sequence queries=bf16");
  const std::string old =
      "weights=int4/tensor activations=e4m3/tensor keys=int4/tensor values=int4/tensor "
      "queries=bf16";
  EXPECT_EQ(with_old_names(name), old);
  EXPECT_EQ(without_old_names(old), name);
  for (const char* same : {"", "w4a4kv4", "bf16", "int8/token"}) {
    EXPECT_EQ(with_old_names(same), same);
    EXPECT_EQ(without_old_names(same), same);
  }
  EXPECT_EQ(without_old_names("int8/tensor"), "int8/sequence");
}

TEST(Recipe, AScalePerBatchKeepsHowManySequencesABatchHas) {
  RecipeConfig config = bits("4", "4", "16", "16");
  EXPECT_EQ(make_recipe(config, 32).batch_sequences, 0);
  EXPECT_FALSE(make_recipe(config, 32).has_batch_scales());
  config.activations_granularity = "batch";
  const Recipe recipe = make_recipe(config, 32);
  EXPECT_TRUE(recipe.has_batch_scales());
  EXPECT_EQ(recipe.batch_sequences, 32);
  EXPECT_EQ(recipe.name(),
            "weights=int4/channel activations=int4/batch keys=bf16 values=bf16 queries=bf16");
  config.activations = "16";  // without a scale, nothing is shared
  EXPECT_EQ(make_recipe(config, 32).batch_sequences, 0);
  config.weights_granularity = "batch";
  EXPECT_EQ(error_of(config),
            "recipe.weights_granularity: weights have no tokens; expected tensor, channel or "
            "groupG such as group32");
}

TEST(Recipe, QueriesMayFollowKeysAndValues) {
  RecipeConfig config = bits("16", "16", "e4m3", "kv");
  config.kv_granularity = "token";
  EXPECT_EQ(make_recipe(config).queries, parse_quantizer("e4m3/token"));
  EXPECT_EQ(make_recipe(bits("4", "4", "4", "kv")), make_recipe(bits("4", "4", "4", "4")));
}

TEST(Recipe, ConfigurationIsFilledFromADocument) {
  RecipeConfig config;
  fill(config, parse_toml("weights = \"e2m1\"\nkv_granularity = \"token\"", "a test"), "a test");
  EXPECT_EQ(config.weights, "e2m1");
  EXPECT_EQ(config.kv_granularity, "token");
  EXPECT_EQ(config.activations, "") << "left out";
  EXPECT_EQ(make_recipe(config).activations, Quantizer{});
}

}  // namespace
}  // namespace bitlaw
