#include "formats/precision.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/recipe.h"
#include "formats/role_format.h"

namespace bitlaw {
namespace {

NamedPrecision named(const std::string& text) {
  const auto out = named_precision(text);
  EXPECT_TRUE(out.has_value()) << text;
  return out.value_or(NamedPrecision{});
}

struct Case {
  const char* text;
  const char* name;
  double weights, activations, kv;  // bits
  double storage;                   // of the weights
};

// docs/formats.md has these rows.
const Case kCases[] = {
    {"W4A16", "W4A16", 4, 16, 16, 4},
    {"w4a4kv8", "W4A4KV8", 4, 4, 8, 4},
    {"W4A4KV16", "W4A4", 4, 4, 16, 4},
    {"w4a4kv4q4", "W4A4KV4Q4", 4, 4, 4, 4},
    {"W3", "W3A16", 3, 16, 16, 3},
    {"A8", "W16A8", 16, 8, 16, 16},
    {"KV4", "W16A16KV4", 16, 16, 4, 16},
    {"W1.58A8", "W1.58A8", 1.58, 8, 16, 1.58},
    {"W3A16g128", "W3A16g128", 3, 16, 16, 3 + 16.0 / 128},
    {"w4a16-g32", "W4A16g32", 4, 16, 16, 4.5},
    {"W4A4-Hadamard", "W4A4-Hadamard", 4, 4, 16, 4},
    {"W4 A4", "W4A4", 4, 4, 16, 4},
    {"w4-a4", "W4A4", 4, 4, 16, 4},
    {"W4_A4", "W4A4", 4, 4, 16, 4},
    {"W4/A4", "W4A4", 4, 4, 16, 4},
    {"W4, A4", "W4A4", 4, 4, 16, 4},
    {"W2.5 A2.5", "W2.5A2.5", 2.5, 2.5, 16, 2.5},
    {"W4A4 KV4", "W4A4KV4", 4, 4, 4, 4},
    {"W4-A4-KV8", "W4A4KV8", 4, 4, 8, 4},
    {"W4 A4KV4-Hadamard", "W4A4KV4-Hadamard", 4, 4, 4, 4},
    {"W4A4-hadamard-KV4", "W4A4KV4-hadamard", 4, 4, 4, 4},
    {"W4-Hadamard A4_kv8-x", "W4A4KV8-Hadamard-x", 4, 4, 8, 4},
    {"W4A4-hadamard-a8", "W4A4-hadamard-a8", 4, 4, 16, 4},
    {"W3-A16-g128", "W3A16g128", 3, 16, 16, 3 + 16.0 / 128},
    {"W3A16_g128", "W3A16g128", 3, 16, 16, 3 + 16.0 / 128},
    {"W3 A16g128", "W3A16g128", 3, 16, 16, 3 + 16.0 / 128},
    {"W4A16-Q4_0", "W4A16-Q4_0", 4, 16, 16, 4},
    {"W4A4-a100", "W4A4-a100", 4, 4, 16, 4},
    {"W4A4-k4", "W4A4-k4", 4, 4, 16, 4},
    {"W4A4-", "W4A4-", 4, 4, 16, 4},
    {"4", "4", 4, 4, 16, 4},
    {"int8", "int8", 8, 8, 16, 8},
    {"INT1", "INT1", 1, 1, 16, 1},
    {"e2m1", "e2m1", 4, 4, 16, 4},
    {"FP4", "FP4", 4, 4, 16, 4},
    {"fp8", "fp8", 8, 8, 16, 8},
    {"E5M2", "E5M2", 8, 8, 16, 8},
    {"fp6", "fp6", 6, 6, 16, 6},
    {"mxfp4", "mxfp4", 4, 4, 16, 4.25},
    {"MXFP8", "MXFP8", 8, 8, 16, 8.25},
    {"mxfp6", "mxfp6", 6, 6, 16, 6.25},
    {"mxfp6-e3m2", "mxfp6-e3m2", 6, 6, 16, 6.25},
    {"mxint8", "mxint8", 8, 8, 16, 8.25},
    {"nvfp4", "nvfp4", 4, 4, 16, 4.5},
    {"nf4", "nf4", 4, 16, 16, 4.5},
    {"BF16", "BF16", 16, 16, 16, 16},
    {"fp16", "BF16", 16, 16, 16, 16},
    {"16", "BF16", 16, 16, 16, 16},
    {"W16A16KV16", "BF16", 16, 16, 16, 16},
    {"none", "BF16", 16, 16, 16, 16},
    {"", "BF16", 16, 16, 16, 16},
    {"fp32", "FP32", 32, 32, 32, 32},
    {"32", "FP32", 32, 32, 32, 32},
};

TEST(Precision, NamesSayWhatEveryPartGets) {
  for (const Case& each : kCases) {
    const NamedPrecision read = named(each.text);
    EXPECT_EQ(read.name, each.name);
    EXPECT_EQ(read.weights.bits, each.weights) << each.text;
    EXPECT_EQ(read.activations.bits, each.activations) << each.text;
    EXPECT_EQ(read.kv.bits, each.kv) << each.text;
    EXPECT_EQ(read.weights.storage_bits, each.storage) << each.text;
  }
}

TEST(Precision, OneSpellingMeansTheSame) {
  for (const Case& each : kCases) {
    const NamedPrecision first = named(each.text), again = named(first.name);
    EXPECT_EQ(again.name, first.name) << each.text;
    EXPECT_TRUE(first.name == "BF16" || again.has_parts_of(first)) << each.text;
  }
}

TEST(Precision, SpellingsOfOnePrecisionAreTheSame) {
  for (const auto& [a, b] : {std::pair("MXFP4", "mxfp4"),
                             {"int4", "INT4"},
                             {"int4", "4"},
                             {"4", "W4A4"},
                             {"fp8", "E4M3"},
                             {"FP4", "e2m1"},
                             {"W4A4-Hadamard", "w4 a4-hadamard"},
                             {"fp16", "none"},
                             {"4NOH", "4NOH"}}) {
    EXPECT_TRUE(is_same_precision(a, b)) << a << " " << b;
    EXPECT_TRUE(is_same_precision(b, a)) << a << " " << b;
  }
  for (const auto& [a, b] : {std::pair("MXFP4", "fp4"),
                             {"fp4", "int4"},
                             {"fp6", "mxfp6"},
                             {"fp6", "W6A6"},
                             {"W4A4", "W4A16"},
                             {"W4A4", "W4A4-hadamard"},
                             {"W3A16", "W3A16g128"},
                             {"4NOH", "4noh"},
                             {"4NOH", "4"},
                             {"QuEST", "none"}}) {
    EXPECT_FALSE(is_same_precision(a, b)) << a << " " << b;
    EXPECT_FALSE(is_same_precision(b, a)) << a << " " << b;
  }
}

TEST(Precision, SixteenBitsAndMoreAreNotQuantized) {
  for (const Case& each : kCases) {
    const bool quantized = each.weights < 16 || each.activations < 16 || each.kv < 16;
    EXPECT_EQ(is_unquantized(each.text), !quantized) << each.text;
  }
  for (const char* text :
       {"float16", "bfloat16", "NoQuantizer", "FP32", "16.0", "w16a16", "W32A32"})
    EXPECT_TRUE(is_unquantized(text)) << text;
  EXPECT_EQ(named("fp32").weights.law_bits(), 16);
  EXPECT_EQ(law_bits(parse_format("fp32")), 16);
  EXPECT_EQ(law_bits(parse_format("e5m10")), 16);
  EXPECT_EQ(law_bits(parse_format("e4m3")), 8);
}

// Of Lightning, Accelerate, Composer, OpenCLIP, torch, Keras, JAX's jmp, and people.
TEST(Precision, FrameworksNamesOfSixteenBitsAndMoreAreNotQuantized) {
  for (const char* text : {"bf16-mixed",
                           "16-mixed",
                           "16-true",
                           "bf16-true",
                           "32-true",
                           "64-true",
                           "BF16-Mixed",
                           "no",
                           "amp",
                           "amp_bf16",
                           "amp_bfloat16",
                           "amp_fp16",
                           "pure_bf16",
                           "torch.bfloat16",
                           "torch.float32",
                           "mixed_bfloat16",
                           "mixed_float16",
                           "jax.numpy.bfloat16",
                           "p=f32,c=bf16,o=f32",
                           "params=float32,compute=bfloat16",
                           "<class 'jax.numpy.float32'>",
                           "full",
                           "full precision",
                           "full_precision",
                           "half-precision",
                           "unquantized",
                           "not quantized",
                           "16 bit",
                           "16-bit",
                           "32bit",
                           "fp64",
                           "double",
                           "tf32",
                           "bf16 mixed precision"})
    EXPECT_TRUE(is_unquantized(text)) << text;
  for (const char* text : {"baseline", "fp8-mixed", "amp_fp8", "transformer-engine", "mixed",
                           "mixed precision", "bf16-w4", "int8-mixed", "true", "mxfp4-bf16", "4bit",
                           "8-bit", "bf16+int4", "precision", "e4m3-bf16"})
    EXPECT_FALSE(is_unquantized(text)) << text;
}

TEST(Precision, AnythingElseIsALabel) {
  for (const char* text :
       {"fast",   "W",     "W99",   "W0A4", "W4Q",   "W4A4x",   "e4",       "e4m",
        "e40m40", "4x",    "0",     "17",   "2.5",   "2WO",     "4NOH",     "q4_0",
        "awq",    "QuEST", "mxfp5", "g128", "A4 W4", "W4A4-A8", "W4 KV4 A4"}) {
    EXPECT_FALSE(named_precision(text).has_value()) << text;
    EXPECT_FALSE(is_unquantized(text)) << text;
  }
}

TEST(Precision, APartHasTheCodesOfItsFormat) {
  for (const auto& [text, format] : {std::pair("fp4", "e2m1"),
                                     {"MXFP4", "e2m1"},
                                     {"nvfp4", "e2m1"},
                                     {"fp8", "e4m3"},
                                     {"e4m3fn", "e4m3"},
                                     {"mxfp8-e5m2", "e5m2"},
                                     {"fp16", "e5m10"},
                                     {"none", "bf16"},
                                     {"8", "int8"}})
    EXPECT_EQ(part_precision(text).format, parse_format(format)) << text;
  EXPECT_EQ(part_precision("mxfp6").format, std::nullopt) << "e2m3 or e3m2";
  EXPECT_THROW(part_precision("W4A4"), Error);
  EXPECT_THROW(part_precision("e9m9"), Error);
}

TEST(Precision, ANameSaysHowItsScalesAreRounded) {
  for (const auto& [text, scales] : {std::pair("mxfp4", ScaleRule::kE8M0),
                                     {"nvfp4", ScaleRule::kE4M3},
                                     {"INT4-E8M0", ScaleRule::kE8M0},
                                     {"fp4-e4m3", ScaleRule::kE4M3},
                                     {"e2m1", ScaleRule::kFloat32}})
    EXPECT_EQ(part_precision(text).scales, scales) << text;
  EXPECT_EQ(part_precision("int4-e8m0").law_bits(), 4);
  EXPECT_FALSE(is_same_precision("int4-e8m0", "int4"));
  EXPECT_FALSE(is_same_precision("int4-e8m0", "int4-e4m3"));
  EXPECT_TRUE(is_same_precision("int4-e8m0", "INT4-E8M0"));
  for (const char* none : {"bf16-e8m0", "mxfp4-e8m0", "int4-e8m0-e4m3", "-e8m0"})
    EXPECT_FALSE(find_part_precision(none)) << none;
}

TEST(Precision, RolesTakeEveryFormat) {
  for (const auto& [text, format] :
       {std::pair("fp4", "e2m1"), {"FP8", "e4m3"}, {"fp16", "e5m10"}, {"none", "bf16"}}) {
    EXPECT_EQ(role_format(text).format, parse_format(format)) << text;
    RecipeConfig config;
    config.weights = config.kv = text;
    EXPECT_EQ(make_recipe(config).keys.format, parse_format(format)) << text;
  }
  for (const auto& [text, part] :
       {std::pair("fp6", "gives bits but not the codes"),
        {"int4-asym", "training rounds without it"},
        {"e4n3", "unknown number format 'e4n3'; did you mean 'e4m3'?"}}) {
    RecipeConfig config;
    config.activations = text;
    try {
      make_recipe(config);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).rfind("recipe.activations: ", 0), 0u) << error.what();
    }
  }
}

// A recipe reads the names of its roles here, and its own name says the same of every part.
TEST(Precision, RecipesSpeakTheSameLanguage) {
  for (const Case& each : kCases) {
    const NamedPrecision read = named(each.text);
    if (!read.weights.format || !read.activations.format || read.weights.group > 0) continue;
    RecipeConfig config;
    config.weights = read.weights.format->name();
    config.activations = read.activations.format->name();
    config.kv = read.kv.format->name();
    config.queries = read.queries.format->name();
    const Recipe recipe = make_recipe(config);
    EXPECT_EQ(recipe.weights.format, read.weights.format) << each.text;
    EXPECT_EQ(recipe.activations.format, read.activations.format) << each.text;
    const auto of_recipe = named_precision(recipe.name());
    EXPECT_TRUE(!of_recipe || of_recipe->has_parts_of(read)) << each.text << " " << recipe.name();
    EXPECT_TRUE(of_recipe || read.name[0] != 'W') << recipe.name();
  }
}

}  // namespace
}  // namespace bitlaw
