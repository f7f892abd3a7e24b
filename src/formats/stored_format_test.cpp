#include "formats/stored_format.h"

#include <gtest/gtest.h>

#include "formats/precision.h"

namespace bitlaw {
namespace {

// As llama.cpp prints them ("bpw") for each type.
TEST(StoredFormat, TypesOfGgufTakeWhatTheirBlocksTake) {
  for (const auto& [name, bits] :
       {std::pair{"q4_0", 4.5}, {"q4_1", 5.0},     {"q5_0", 5.5},       {"q5_1", 6.0},
        {"q8_0", 8.5},          {"q2_K", 2.625},   {"q3_K", 3.4375},    {"Q4_K", 4.5},
        {"q5_K", 5.5},          {"Q6_K", 6.5625},  {"iq1_s", 1.5625},   {"iq2_xxs", 2.0625},
        {"iq2_xs", 2.3125},     {"iq2_s", 2.5625}, {"iq3_xxs", 3.0625}, {"iq3_s", 3.4375},
        {"iq4_nl", 4.5},        {"iq4_xs", 4.25},  {"tq1_0", 1.6875},   {"tq2_0", 2.0625}}) {
    const auto found = find_stored_format(name);
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(found->bits, bits) << name;
    EXPECT_TRUE(found->is_gguf);
    EXPECT_FALSE(named_precision(name)) << name << " would mean two things";
  }
  EXPECT_FALSE(find_stored_format("q4_k_m")) << "a mixture of types";
  EXPECT_FALSE(find_stored_format("nonsense"));
  EXPECT_FALSE(find_stored_format(""));
}

TEST(StoredFormat, NamedPrecisionsIncludeTheirScales) {
  EXPECT_EQ(find_stored_format("mxfp4")->bits, 4.25);
  EXPECT_EQ(find_stored_format("nvfp4")->bits, 4.5);
  EXPECT_EQ(find_stored_format("W4A16g128")->bits, 4 + 16.0 / 128);
  EXPECT_EQ(find_stored_format("BF16")->bits, 16);
  EXPECT_EQ(find_stored_format("32")->bits, 32);
  EXPECT_FALSE(find_stored_format("BF16")->lacks_scales());
  EXPECT_TRUE(find_stored_format("int4")->lacks_scales()) << "nothing says what shares a scale";
  EXPECT_FALSE(find_stored_format("mxfp4")->lacks_scales());
}

}  // namespace
}  // namespace bitlaw
