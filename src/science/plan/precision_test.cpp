#include "plan/precision.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bitlaw {
namespace {

TEST(Precision, NamesSayTheirBits) {
  struct Row {
    const char* name;
    Bits bits;
  };
  for (const Row& row : {Row{"W4A4", {4, 4, 16}}, Row{"w4a16", {4, 16, 16}},
                         Row{"W4A4KV4", {4, 4, 4}}, Row{"W3", {3, 16, 16}}, Row{"4", {4, 4, 4}},
                         Row{"int8", {8, 8, 8}}, Row{"mxfp4", {4, 4, 4}}, Row{"FP8", {8, 8, 8}},
                         Row{"e4m3", {8, 8, 8}}, Row{"e2m1", {4, 4, 4}}, Row{"BF16", {}},
                         Row{"none", {}}, Row{"", {}}, Row{"W4A4-hadamard", {4, 4, 16}}}) {
    NamedPrecision format;
    ASSERT_TRUE(read_format(row.name, format)) << row.name;
    EXPECT_EQ(format.bits, row.bits) << row.name;
  }
}

TEST(Precision, FloatingPointFormatsHaveExponentAndMantissa) {
  struct Row {
    const char* name;
    double exponent, mantissa;
  };
  for (const Row& row : {Row{"e4m3", 4, 3}, Row{"E2M1", 2, 1}, Row{"mxfp4", 2, 1}}) {
    NamedPrecision format;
    ASSERT_TRUE(read_format(row.name, format));
    EXPECT_EQ(format.exponent_bits, row.exponent) << row.name;
    EXPECT_EQ(format.mantissa_bits, row.mantissa) << row.name;
  }
  NamedPrecision format;
  ASSERT_TRUE(read_format("int4", format));
  EXPECT_TRUE(std::isnan(format.exponent_bits));
}

TEST(Precision, OtherNamesAreRefused) {
  NamedPrecision format;
  for (const char* name : {"fast", "W", "W99", "e4", "e4m", "e40m40", "4x", "0", "W4Q"}) {
    EXPECT_FALSE(read_format(name, format)) << name;
  }
}

}  // namespace
}  // namespace bitlaw
