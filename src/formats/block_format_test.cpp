// Compares the block formats with their publications: the tables of the OCP specifications ("OCP
// 8-bit Floating Point Specification" 1.0; "OCP Microscaling Formats (MX) Specification" 1.0,
// sections 5.3 elements, 5.4 scales, 6.3 conversion) and NVIDIA's description of NVFP4.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "formats/block_grid.h"
#include "formats/e8m0.h"

namespace bitlaw {
namespace {

// Section 5.3 of the MX specification; e4m3 and e5m2 are tables 1 and 2 of the FP8 specification.
struct Element {
  const char* name;
  const char* scheme;
  int exponent_bits, mantissa_bits, bias;
  int emax;  // exponent of the largest power of two
  double max_normal, min_normal, max_subnormal, min_subnormal;
  int nan_or_infinite;  // bit patterns of one sign
};
constexpr Element kElements[] = {
    {"e2m1", "mxfp4", 2, 1, 1, 2, 6, 1, 0.5, 0.5, 0},
    {"e2m3", "mxfp6-e2m3", 2, 3, 1, 2, 7.5, 1, 0.875, 0.125, 0},
    {"e3m2", "mxfp6-e3m2", 3, 2, 3, 4, 28, 0.25, 0.1875, 0.0625, 0},
    {"e4m3", "mxfp8-e4m3", 4, 3, 7, 8, 448, 0x1p-6, 0.875 * 0x1p-6, 0x1p-9, 1},
    {"e5m2", "mxfp8-e5m2", 5, 2, 15, 15, 57344, 0x1p-14, 0.75 * 0x1p-14, 0x1p-16, 4},
};

// The value of a bit pattern without its sign; NaN for infinities, too.
double decode(const Element& element, int pattern) {
  const int mantissa = pattern % (1 << element.mantissa_bits);
  const int exponent = pattern >> element.mantissa_bits;
  const bool highest = exponent == (1 << element.exponent_bits) - 1;
  const std::string name = element.name;
  if (name == "e5m2" && highest) return std::nan("");
  if (name == "e4m3" && highest && mantissa == 7) return std::nan("");
  const double fraction = mantissa / std::exp2(element.mantissa_bits);
  if (exponent == 0) return std::exp2(1 - element.bias) * fraction;
  return std::exp2(exponent - element.bias) * (1 + fraction);
}

TEST(BlockFormats, EveryCodeOfEveryElementIsThePublishedOne) {
  for (const Element& element : kElements) {
    const Format format = parse_format(element.name);
    EXPECT_EQ(format.bits, 1 + element.exponent_bits + element.mantissa_bits);
    std::set<double> published;
    int without_value = 0;
    for (int pattern = 0; pattern < 1 << (format.bits - 1); ++pattern) {
      const double value = decode(element, pattern);
      if (std::isnan(value)) {
        ++without_value;
      } else {
        published.insert(value);
        published.insert(-value);
      }
    }
    EXPECT_EQ(without_value, element.nan_or_infinite) << element.name;
    const std::vector<float> codes = all_codes(format);
    EXPECT_EQ(std::vector<double>(codes.begin(), codes.end()),
              std::vector<double>(published.begin(), published.end()))
        << element.name;
    EXPECT_EQ(codes.back(), element.max_normal);
    EXPECT_EQ(format.smallest_normal(), element.min_normal);
    EXPECT_EQ(format.smallest_positive(), element.min_subnormal);
    EXPECT_EQ(*std::prev(std::lower_bound(codes.begin(), codes.end(), element.min_normal)),
              element.max_subnormal);
    EXPECT_EQ(largest_exponent(format), element.emax) << element.name;
  }
  EXPECT_EQ(all_codes(parse_format("e2m1")),
            (std::vector<float>{-6, -4, -3, -2, -1.5f, -1, -0.5f, 0, 0.5f, 1, 1.5f, 2, 3, 4, 6}));
}

TEST(BlockFormats, EveryScaleCodeIsAPowerOfTwo) {
  double expected = 0x1p-127;
  for (int code = 0; code < 255; ++code, expected *= 2)
    EXPECT_EQ(e8m0_value(static_cast<uint8_t>(code)), expected) << code;
  EXPECT_TRUE(std::isnan(e8m0_value(255)));
}

// floor(log2 absmax) - emax for every exponent that a float has, at both ends of the binade.
TEST(BlockFormats, SharedExponentIsTheFloor) {
  for (const Element& element : kElements) {
    const Format format = parse_format(element.name);
    for (int exponent = -149; exponent <= 127; ++exponent) {
      const auto first = static_cast<float>(std::exp2(exponent));
      const float last = std::nextafter(static_cast<float>(std::exp2(exponent + 1)), 0.0f);
      const int expected = std::max(exponent - element.emax, -127);
      EXPECT_EQ(shared_exponent(format, first), expected) << element.name << " " << exponent;
      EXPECT_EQ(shared_exponent(format, exponent == 127 ? std::numeric_limits<float>::max() : last),
                expected)
          << element.name << " " << exponent;
    }
    EXPECT_EQ(shared_exponent(format, 0), -127);
    EXPECT_EQ(shared_exponent(format, std::numeric_limits<float>::infinity()), 127);
    EXPECT_EQ(shared_exponent(format, std::numeric_limits<float>::quiet_NaN()), 127);
  }
}

// A block that holds the largest code gets the scale back, and every code of it: all scales that
// finite floats can have, times all codes.
TEST(BlockFormats, CodesTimesScaleAreTheirOwnQuantization) {
  for (const Element& element : kElements) {
    const WeightScheme scheme = parse_weight_scheme(element.scheme);
    EXPECT_EQ(scheme.format.name(), element.name);
    const std::vector<float> codes = all_codes(scheme.format);
    for (int exponent = -127; exponent <= 127 - element.emax; ++exponent) {
      const float scale = e8m0_value(static_cast<uint8_t>(exponent + 127));
      std::vector<float> block{0, codes.back() * scale};
      for (const float code : codes) {
        block[0] = code * scale;
        const BlockGrid grid = block_grid(scheme, 1, block.data(), 2);
        ASSERT_EQ(grid.scale, scale) << element.scheme << " " << exponent;
        ASSERT_EQ(code_of(scheme, grid, block[0]), code) << element.scheme << " " << exponent;
        ASSERT_EQ(value_of(grid, code), block[0]) << element.scheme << " " << exponent;
      }
    }
  }
}

// Between the largest code and the next power of two, elements saturate.
TEST(BlockFormats, ElementsAboveTheLargestCodeSaturate) {
  for (const Element& element : kElements) {
    const WeightScheme scheme = parse_weight_scheme(element.scheme);
    const float end = std::nextafter(static_cast<float>(std::exp2(element.emax + 1)), 0.0f);
    for (const float x : {end, -end}) {
      const float block[] = {x, 1};
      const BlockGrid grid = block_grid(scheme, 1, block, 2);
      EXPECT_EQ(grid.scale, 1);
      EXPECT_EQ(code_of(scheme, grid, x), std::copysign(element.max_normal, x));
    }
  }
}

// Section 5.3.4: two's complement with an implied scale of 2^-6, so 1 63/64 is the largest and -2,
// which the specification leaves to the implementation, a code.
TEST(BlockFormats, Int8IsInUnitsOfOneSixtyFourth) {
  const WeightScheme scheme = parse_weight_scheme("mxint8");
  for (int exponent = -121; exponent <= 126; ++exponent) {
    const float scale = std::ldexp(1.0f, exponent);
    for (int code = -128; code <= 127; ++code) {
      const float block[] = {static_cast<float>(code) / 64 * scale, scale};  // 1.0 is in it
      const BlockGrid grid = block_grid(scheme, 1, block, 2);
      ASSERT_EQ(value_of(grid, code_of(scheme, grid, block[0])), block[0]) << code;
      if (std::abs(code) < 128) {
        ASSERT_EQ(grid.scale, std::ldexp(1.0f, exponent - 6));
        ASSERT_EQ(code_of(scheme, grid, block[0]), code);
      }
    }
  }
  const float above[] = {-1.999f, 1.0f};  // nearest is -2
  EXPECT_EQ(code_of(scheme, block_grid(scheme, 1, above, 2), above[0]), -128);
  EXPECT_EQ(code_of(scheme, block_grid(scheme, 1, above, 2), 1.999f), 127);
}

// Blocks whose scale would be below 2^-127 keep that scale, and what is left of them.
TEST(BlockFormats, TinyBlocksTakeTheSmallestScale) {
  const WeightScheme scheme = parse_weight_scheme("mxfp4");
  const float block[] = {0x1p-127f, 0x1.8p-128f, 0x1p-130f};
  const BlockGrid grid = block_grid(scheme, 1, block, 3);
  EXPECT_EQ(grid.scale, 0x1p-127f);
  EXPECT_EQ(code_of(scheme, grid, block[0]), 1);
  EXPECT_EQ(code_of(scheme, grid, block[1]), 1);  // 0.75: a tie, to the even mantissa
  EXPECT_EQ(code_of(scheme, grid, block[2]), 0);
}

// Blocks of the length in the name, each with its own scale.
TEST(BlockFormats, BlocksHaveThePublishedLength) {
  for (const auto& [name, length] : {std::pair{"mxfp4", 32}, {"mxint8", 32}, {"nvfp4", 16}}) {
    std::vector<float> w(static_cast<size_t>(2 * length + 3));
    for (size_t i = 0; i < w.size(); ++i) w[i] = std::ldexp(6.0f, -static_cast<int>(i) / length);
    const WeightReference q =
        quantize_reference(parse_weight_scheme(name), w.data(), 1, static_cast<int64_t>(w.size()));
    for (size_t i = 0; i + 1 < w.size(); ++i) {
      EXPECT_EQ(q.scales[i] == q.scales[i + 1], (i + 1) % static_cast<size_t>(length) != 0)
          << name << " " << i;
    }
  }
}

// NVFP4: a value is e2m1 times e4m3 times FP32. With a matrix absmax of 448 * 6 * t the FP32 scale
// is t, and a block with absmax 6 s t has the scale s: every positive e4m3 code s comes back, times
// every e2m1 code.
TEST(BlockFormats, Nvfp4ScalesAreE4m3TimesTheTensorScale) {
  const WeightScheme scheme = parse_weight_scheme("nvfp4");
  const Element& e4m3 = kElements[3];
  for (const float t : {1.0f, 0x1p-20f, 0x1p-100f}) {
    const float whole = tensor_scale(scheme, 448 * 6 * t);
    EXPECT_EQ(whole, t);
    for (int pattern = 1; pattern < 127; ++pattern) {
      const auto s = static_cast<float>(decode(e4m3, pattern));
      for (const float code : all_codes(scheme.format)) {
        const float block[] = {code * s * t, 6 * s * t};
        const BlockGrid grid = block_grid(scheme, whole, block, 2);
        ASSERT_EQ(grid.scale, s * t) << pattern;
        ASSERT_EQ(code_of(scheme, grid, block[0]), code) << pattern;
        ASSERT_EQ(value_of(grid, code), block[0]) << pattern;
      }
      // Halfway to the next scale: to the even pattern, with its float neighbours on their sides.
      if (pattern == 126) continue;
      const auto next = static_cast<float>(decode(e4m3, pattern + 1));
      const float middle = (s + next) / 2 * 6 * t;
      const auto scale_of = [&](float absmax) {
        return block_grid(scheme, whole, &absmax, 1).scale;
      };
      // 6 m is exact for a middle m of five bits, and so is its division by 6 and by t.
      EXPECT_EQ(scale_of(middle), (pattern % 2 == 0 ? s : next) * t) << pattern;
      EXPECT_EQ(scale_of(middle * (1 - 0x1p-20f)), s * t) << pattern;
      EXPECT_EQ(scale_of(middle * (1 + 0x1p-20f)), next * t) << pattern;
    }
  }
}

TEST(BlockFormats, Nvfp4AtTheEndsOfTheScales) {
  const WeightScheme scheme = parse_weight_scheme("nvfp4");
  const auto scale_of = [&](float absmax) { return block_grid(scheme, 1, &absmax, 1).scale; };
  EXPECT_EQ(scale_of(1e6f), 448);  // a block beyond the matrix absmax: the scale saturates
  EXPECT_EQ(scale_of(6 * 0x1p-9f), 0x1p-9f);
  EXPECT_EQ(scale_of(6 * 0x1p-10f), 0);  // half of the smallest scale: to even, and values are 0
  EXPECT_EQ(scale_of(6.01f * 0x1p-10f), 0x1p-9f);
  EXPECT_EQ(tensor_scale(scheme, 0), 0x1p-126f);
  EXPECT_EQ(tensor_scale(parse_weight_scheme("mxfp4"), 123), 1);
  // The search also sees the scale above, which keeps what the rule would drop.
  const float tiny = 6 * 0x1p-10f;
  EXPECT_EQ(block_grid(parse_weight_scheme("nvfp4-clip"), 1, &tiny, 1).scale, 0x1p-9f);
}

}  // namespace
}  // namespace bitlaw
