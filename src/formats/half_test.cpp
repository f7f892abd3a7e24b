// Every code of both formats, and every gap between two codes: its middle and the floats next to
// it.
#include "formats/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/float_mode.h"

namespace bitlaw {
namespace {

struct Half {
  const char* name;
  int exponent_bits, mantissa_bits;
  uint16_t (*bits_of)(float);
  float (*value_of)(uint16_t);

  uint32_t infinity() const { return ((1u << exponent_bits) - 1) << mantissa_bits; }
  // The value of a magnitude from its fields; that of infinity is the next power of two.
  double value(uint32_t code) const {
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const auto exponent = static_cast<int>(code >> mantissa_bits);
    const auto fraction = static_cast<int>(code & ((1u << mantissa_bits) - 1));
    return exponent == 0
               ? std::ldexp(fraction, 1 - bias - mantissa_bits)
               : std::ldexp(fraction + (1 << mantissa_bits), exponent - bias - mantissa_bits);
  }
};
const Half kHalves[] = {{"bf16", 8, 7, bf16_bits, bf16_value},
                        {"fp16", 5, 10, fp16_bits, fp16_value}};

// Halfway between two values; halving first keeps it below the largest float.
float between(double a, double b) {
  return static_cast<float>(a / 2 + b / 2);
}

void expect_nearest_everywhere() {
  for (const Half& half : kHalves) {
    for (uint32_t code = 0; code < half.infinity(); ++code) {
      for (const uint32_t sign : {0u, 0x8000u}) {
        const float direction = sign ? -1.0f : 1.0f;
        const auto bits = static_cast<uint16_t>(code | sign),
                   next = static_cast<uint16_t>(bits + 1);
        const float value = std::copysign(static_cast<float>(half.value(code)), direction);
        const float middle =
            std::copysign(between(half.value(code), half.value(code + 1)), direction);
        ASSERT_EQ(half.value_of(bits), value) << half.name << " " << bits;
        ASSERT_EQ(std::signbit(half.value_of(bits)), sign != 0) << half.name << " " << bits;
        ASSERT_EQ(half.bits_of(value), bits) << half.name;
        ASSERT_EQ(half.bits_of(middle), code % 2 == 0 ? bits : next) << half.name << " " << bits;
        ASSERT_EQ(half.bits_of(std::nextafter(middle, 0.0f)), bits) << half.name;
        ASSERT_EQ(half.bits_of(std::nextafter(middle, 2 * middle)), next) << half.name;
      }
    }
  }
}

TEST(Half, EveryNumberBecomesTheNearestCodeAndTiesGoToTheEven) {
  expect_nearest_everywhere();
}

// Subnormal floats cannot be made there, so BF16's are left out: FP16 has none.
TEST(Half, Fp16IsTheSameWhereSubnormalsAreFlushed) {
  const Half& half = kHalves[1];
  for (uint32_t code = 0; code < half.infinity(); ++code) {
    const auto value = static_cast<float>(half.value(code));
    const float middle = between(half.value(code), half.value(code + 1));
    const float below = std::nextafter(middle, 0.0f);
    const FlushSubnormals flush;
    ASSERT_EQ(half.value_of(static_cast<uint16_t>(code)), value) << code;
    ASSERT_EQ(half.bits_of(value), code);
    ASSERT_EQ(half.bits_of(middle), code + code % 2);
    ASSERT_EQ(half.bits_of(below), code);
  }
}

TEST(Half, InfinityAndNanStayWhatTheyAre) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const Half& half : kHalves) {
    for (const uint32_t sign : {0u, 0x8000u}) {
      const float direction = sign ? -1.0f : 1.0f;
      const auto infinity = static_cast<uint16_t>(half.infinity() | sign);
      EXPECT_EQ(half.bits_of(std::copysign(kInfinity, direction)), infinity) << half.name;
      EXPECT_EQ(half.bits_of(std::copysign(std::numeric_limits<float>::max(), direction)),
                infinity);
      EXPECT_EQ(half.value_of(infinity), std::copysign(kInfinity, direction)) << half.name;
      for (uint32_t code = half.infinity() + 1; code < 0x8000; ++code) {
        ASSERT_TRUE(std::isnan(half.value_of(static_cast<uint16_t>(code | sign)))) << half.name;
      }
    }
    // Whatever its payload: the first, the last, and those that a carry would run out of.
    for (const uint32_t payload : {1u, 0x7FFFu, 0x8000u, 0xFFFFu, 0x400000u, 0x7FFFFFu}) {
      for (const uint32_t sign : {0u, 0x80000000u}) {
        const auto nan = std::bit_cast<float>(0x7F800000u | payload | sign);
        const uint16_t bits = half.bits_of(nan);
        EXPECT_TRUE(std::isnan(half.value_of(bits))) << half.name << " " << payload;
        EXPECT_EQ(bits >> 15, sign >> 31) << half.name;
      }
    }
  }
}

// The textbook bit manipulation: add 0x7fff, and one more if the kept part is odd.
TEST(Half, Bf16IsTheUpperHalfOfAFloat) {
  for (uint32_t high = 0; high < 0x10000; ++high) {
    for (const uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      const uint32_t bits = high << 16 | low;
      const auto x = std::bit_cast<float>(bits);
      if (std::isnan(x)) continue;
      const uint32_t expected = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
      ASSERT_EQ(std::bit_cast<uint32_t>(round_to_bf16(x)), expected) << std::hex << bits;
    }
  }
}

// Independent of the code under test: the compiler's own half-precision conversion.
TEST(Half, Fp16IsTheCompilersHalf) {
  for (uint64_t bits = 0; bits <= 0x7F800000u; bits += 509) {  // odd: meets every low bit
    for (const uint32_t sign : {0u, 0x80000000u}) {
      const auto x = std::bit_cast<float>(static_cast<uint32_t>(bits) | sign);
      const auto expected = std::bit_cast<uint16_t>(static_cast<_Float16>(x));
      ASSERT_EQ(fp16_bits(x), expected) << x;
      ASSERT_EQ(fp16_value(expected), static_cast<float>(std::bit_cast<_Float16>(expected)));
    }
  }
}

}  // namespace
}  // namespace bitlaw
