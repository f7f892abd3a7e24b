#include "formats/quantizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"
#include "base/random.h"
#include "formats/block_grid.h"
#include "formats/half.h"

namespace bitlaw {
namespace {

std::vector<float> gaussian(int64_t count, uint64_t seed, double deviation = 1) {
  std::vector<float> x(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    x[static_cast<size_t>(i)] =
        static_cast<float>(deviation * random_normal(seed, 0, static_cast<uint64_t>(i)));
  }
  return x;
}

std::vector<Format> scaled_formats() {
  std::vector<Format> formats;
  for (int bits = 2; bits <= 16; ++bits) formats.push_back(integer_format(bits));
  for (int x = 2; x <= 6; ++x) {
    for (int y = 0; y <= 10; ++y) formats.push_back(float_format(x, y));
  }
  return formats;
}

float absmax_of(const std::vector<float>& x) {
  float largest = 0;
  for (const float value : x) largest = std::max(largest, std::fabs(value));
  return largest;
}

TEST(Quantizer, ScaleIsAbsmaxOverTheLargestCode) {
  const BlockScale scale = block_scale(integer_format(4), 3.5f);
  EXPECT_EQ(scale.scale, 0.5f);
  EXPECT_EQ(scale.inverse, 2.0f);
  EXPECT_EQ(block_scale(float_format(2, 1), 1.0f).scale, 1.0f / 6.0f);
  EXPECT_EQ(block_scale(float_format(2, 1), 1.0f).inverse, 1.0f / (1.0f / 6.0f));
}

TEST(Quantizer, BlocksBelowTheSmallestNormalScaleCountAsZeros) {
  for (const Format& format : scaled_formats()) {
    const float edge = format.max_code * 0x1p-126f;  // exact: a code has few bits
    EXPECT_EQ(block_scale(format, edge).scale, 0x1p-126f) << format.name();
    EXPECT_EQ(block_scale(format, edge).inverse, 0x1p126f) << format.name();
    for (const float absmax : {0.0f, 0x1p-149f, edge / 2}) {
      const BlockScale scale = block_scale(format, absmax);
      EXPECT_EQ(scale.scale, 0.0f) << format.name();
      EXPECT_EQ(scale.inverse, 0.0f) << format.name();
      const float x[] = {absmax, -absmax, 0.0f};
      const QuantizedReference q = quantize_reference(format, ScaleAxis::kTensor, 0, x, 1, 3);
      EXPECT_EQ(q.values, std::vector<float>(3, 0.0f)) << format.name();
    }
  }
}

TEST(Quantizer, TheLargestEntryGetsTheLargestCode) {
  for (const Format& format : scaled_formats()) {
    for (uint64_t seed = 0; seed < 40; ++seed) {
      const std::vector<float> x = gaussian(17, seed, std::ldexp(1.0, static_cast<int>(seed) - 20));
      const QuantizedReference q =
          quantize_reference(format, ScaleAxis::kTensor, 0, x.data(), 1, 17);
      const float largest = absmax_of(x);
      for (size_t i = 0; i < x.size(); ++i) {
        ASSERT_LE(std::fabs(q.codes[i]), format.max_code)
            << format.name();  // -2^(B-1) is never used
        if (std::fabs(x[i]) == largest) {
          ASSERT_EQ(q.codes[i], std::copysign(format.max_code, x[i])) << format.name();
        }
      }
    }
  }
}

// |x - value| is at most half the distance between the codes around x / scale, plus what the three
// float operations add: x * inverse is off by at most 2^-22 |x / scale| (scale, inverse and the
// product each round once, 2^-24, with second-order terms below the fourth), code * scale by 2^-24
// |value|.
TEST(Quantizer, ErrorIsAtMostHalfAStep) {
  for (const Format& format : scaled_formats()) {
    const std::vector<float> codes = all_codes(format);
    const std::vector<float> x = gaussian(512, 7);
    const QuantizedReference q = quantize_reference(format, ScaleAxis::kTensor, 0, x.data(), 8, 64);
    for (size_t i = 0; i < x.size(); ++i) {
      const double scale = q.scales[i];
      const auto at = std::lower_bound(codes.begin(), codes.end(), q.codes[i]);
      ASSERT_EQ(*at, q.codes[i]) << format.name();
      const double up = at + 1 == codes.end() ? 0 : static_cast<double>(*(at + 1)) - *at;
      const double down = at == codes.begin() ? 0 : static_cast<double>(*at) - *(at - 1);
      const double bound =
          std::max(up, down) / 2 * scale + 0x1p-22 * (std::fabs(x[i]) + std::fabs(q.values[i]));
      ASSERT_LE(std::fabs(static_cast<double>(x[i]) - q.values[i]), bound)
          << format.name() << " entry " << i;
    }
  }
}

// The scale of the values is the scale they were made with: every max_code is (2^k - 1) 2^j, and
// powers of two change nothing, so that all significands of absmax and all k are every case there
// is.
TEST(Quantizer, TheScaleOfTheValuesIsTheSameScale) {
  for (const Format& format : scaled_formats()) {
    auto odd = static_cast<uint64_t>(std::ldexp(format.max_code, format.mantissa_bits));
    while (odd % 2 == 0) odd /= 2;
    ASSERT_TRUE(std::has_single_bit(odd + 1) && odd < 1u << 15) << format.name();
  }
  for (int bits = 2; bits <= 16; ++bits) {
    const Format format = integer_format(bits);
    for (uint32_t significand = 0; significand < 1u << 23; ++significand) {
      const auto absmax = std::bit_cast<float>(0x3f800000u | significand);
      const float scale = absmax / format.max_code;
      const float largest_value = format.max_code * scale;
      ASSERT_EQ(largest_value / format.max_code, scale) << format.name() << " " << significand;
    }
  }
}

TEST(Quantizer, QuantizingTheValuesAgainChangesNothing) {
  for (const Format& format : scaled_formats()) {
    for (const double deviation : {1e-20, 1.0, 1e20}) {
      for (uint64_t seed = 0; seed < 20; ++seed) {
        const std::vector<float> x = gaussian(33, 100 + seed, deviation);
        const QuantizedReference once =
            quantize_reference(format, ScaleAxis::kTensor, 0, x.data(), 1, 33);
        const QuantizedReference twice =
            quantize_reference(format, ScaleAxis::kTensor, 0, once.values.data(), 1, 33);
        ASSERT_EQ(twice.codes, once.codes) << format.name();
        ASSERT_EQ(twice.scales, once.scales) << format.name();
        ASSERT_EQ(twice.values, once.values) << format.name();
      }
    }
  }
}

// What training rounds with is what quantization after training rounds with, bit for bit.
TEST(Quantizer, EveryFormatAndScaleIsThatOfAWeightScheme) {
  const int64_t rows = 6, columns = 77;  // the last group of a row is short
  std::vector<float> x = gaussian(rows * columns, 11);
  for (int64_t c = 0; c < columns; ++c) {
    x[static_cast<size_t>(columns + c)] *= 0x1p90f;
    x[static_cast<size_t>(2 * columns + c)] *= 0x1p-90f;
    x[static_cast<size_t>(3 * columns + c)] = c % 2 == 0 ? 0.0f : -0.0f;
    x[static_cast<size_t>(4 * columns + c)] = std::round(x[static_cast<size_t>(c)] * 4) / 8;
  }
  for (const double size : {1.0, 0x1p-60}) {
    for (float& entry : x) entry = static_cast<float>(entry * size);
    for (const Format& format : scaled_formats()) {
      for (const ScaleRule scales : {ScaleRule::kFloat32, ScaleRule::kE8M0, ScaleRule::kE4M3}) {
        for (const int group : {0, 1, 16, 32}) {
          WeightScheme scheme{.format = format, .group = group};
          scheme.scales = scales;
          const WeightReference expected = quantize_reference(scheme, x.data(), rows, columns);
          const QuantizedReference q =
              quantize_reference(format, group == 0 ? ScaleAxis::kRow : ScaleAxis::kGroup, group,
                                 x.data(), rows, columns, 0, scales);
          ASSERT_EQ(q.tensor_scale, expected.tensor_scale) << scheme.name();
          for (size_t i = 0; i < x.size(); ++i) {
            if (expected.scales[i] < 0x1p-126f) continue;  // zeros in training: the next test
            const auto same = [](float a, float b) {
              return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
            };
            ASSERT_TRUE(same(q.codes[i], expected.codes[i]) &&
                        same(q.scales[i], expected.scales[i]) &&
                        same(q.values[i], expected.values[i]))
                << scheme.name() << " in groups of " << group << ": " << q.values[i]
                << " instead of " << expected.values[i] << " for " << x[i];
            ASSERT_EQ(q.blocks[i] * q.tensor_scale, q.scales[i]) << scheme.name();
          }
        }
      }
    }
  }
}

TEST(Quantizer, RoundedScalesAreNormalFloatsOrZero) {
  for (const Format& format : scaled_formats()) {
    const int emax = std::ilogb(format.max_code);  // B - 2 for integers
    const float edge = std::ldexp(1.0f, emax - 126), below = std::nextafter(edge, 0.0f);
    const BlockScale smallest = block_scale(format, ScaleRule::kE8M0, 1, edge);
    EXPECT_EQ(smallest.scale, 0x1p-126f) << format.name();
    EXPECT_EQ(smallest.inverse, 0x1p126f) << format.name();
    EXPECT_EQ(block_scale(format, ScaleRule::kE8M0, 1, below).scale, 0.0f) << format.name();
    EXPECT_EQ(block_scale(format, ScaleRule::kE8M0, 1, 0).inverse, 0.0f) << format.name();
    const float normal = format.max_code * 0x1p-126f;
    EXPECT_EQ(block_scale(format, ScaleRule::kE4M3, 0x1p-126f, normal).scale, 0x1p-126f);
    EXPECT_EQ(block_scale(format, ScaleRule::kE4M3, 0x1p-126f, normal / 2).scale, 0.0f);
    EXPECT_EQ(block_scale(format, ScaleRule::kE4M3, 1.0f, 0).inverse, 0.0f);
  }
}

// An E8M0 scale is rounded down, so the largest entries may lie beyond the largest code.
TEST(Quantizer, WithPowersOfTwoTheLargestEntriesSaturate) {
  const float x[] = {7.9f, -7.9f, 6.0f, 4.9f, 0.3f, 0.2f};
  const QuantizedReference q =
      quantize_reference(float_format(2, 1), ScaleAxis::kGroup, 32, x, 1, 6, 0, ScaleRule::kE8M0);
  EXPECT_EQ(q.values, (std::vector<float>{6, -6, 6, 4, 0.5f, 0}));
  const float y[] = {1.999f, -2.0f + 0x1p-20f, 1.0f};  // one code is 2^-6
  const QuantizedReference i =
      quantize_reference(integer_format(8), ScaleAxis::kGroup, 32, y, 1, 3, 0, ScaleRule::kE8M0);
  EXPECT_EQ(i.codes, (std::vector<float>{127, -128, 64}));
}

// Products run on code * block, so every such product must be a BF16 number.
TEST(Quantizer, WhatFoldsIntoBf16IsExact) {
  const std::vector<float> blocks = all_codes(float_format(4, 3));
  for (const Format& format : scaled_formats()) {
    bool exact = true;
    for (const float code : all_codes(format)) {
      for (const float block : blocks) exact = exact && round_to_bf16(code * block) == code * block;
    }
    EXPECT_EQ(folds_into_bf16(format, ScaleRule::kE4M3), exact) << format.name();
    EXPECT_EQ(folds_into_bf16(format, ScaleRule::kE8M0), format.codes_fit_bf16()) << format.name();
    EXPECT_FALSE(folds_into_bf16(format, ScaleRule::kFloat32));
  }
}

TEST(Quantizer, ANameSaysHowScalesAreRounded) {
  const Quantizer mxfp4 = parse_quantizer("mxfp4");
  EXPECT_EQ(mxfp4, make_quantizer(float_format(2, 1), Granularity::kGroup, 32, ScaleRule::kE8M0));
  EXPECT_EQ(parse_quantizer("nvfp4").scales, ScaleRule::kE4M3);
  EXPECT_EQ(parse_quantizer("nvfp4").group, 16);
  for (const char* same : {"mxfp4/group32", "e2m1-e8m0/group32", "MXFP4"})
    EXPECT_EQ(parse_quantizer(same), mxfp4) << same;
  for (const char* name : {"mxfp4", "mxfp6-e2m3", "mxfp6-e3m2", "mxfp8-e4m3", "mxfp8-e5m2",
                           "mxint8", "nvfp4", "int4-e8m0/group64", "int8-e4m3/group16",
                           "e4m3-e8m0/channel", "e3m2-e4m3/token", "int4/group32", "bf16", "fp32"})
    EXPECT_EQ(parse_quantizer(name).name(), name);
  EXPECT_EQ(parse_quantizer("mxint8").format_name(), "mxint8");
  EXPECT_EQ(parse_quantizer("mxint8").granularity_name(), "group32");
  EXPECT_EQ(parse_quantizer("int4-e8m0/group64").format_name(), "int4-e8m0");
  EXPECT_EQ(parse_quantizer("bf16").granularity_name(), "");
  EXPECT_TRUE(mxfp4.is_block_format());
  EXPECT_FALSE(parse_quantizer("e2m1/group32").is_block_format());
  EXPECT_NE(mxfp4, parse_quantizer("e2m1/group32"));
}

TEST(Quantizer, AWrongNameOfAFormatGetsOneSentence) {
  const auto error_of = [](const char* text) -> std::string {
    try {
      parse_quantizer(text);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(error_of("mxfp4/group64"),
            "mxfp4 is defined with blocks of 32, not group64; leave the granularity out, or write "
            "e2m1-e8m0 for other blocks");
  EXPECT_EQ(error_of("nvfp4/channel"),
            "nvfp4 is defined with blocks of 16, not channel; leave the granularity out, or write "
            "e2m1-e4m3 for other blocks");
  EXPECT_EQ(error_of("nxfp4"), "unknown number format 'nxfp4'; did you mean 'mxfp4'?");
  EXPECT_EQ(error_of("int4-asym/channel"),
            "'int4-asym': -asym is for weights after training; training rounds without it");
  EXPECT_EQ(error_of("mxfp6"),
            "'mxfp6' gives bits but not the codes; write int4 or e2m1, for example");
  EXPECT_EQ(
      error_of("posits"),
      "unknown number format 'posits'; expected a number of bits, int2 .. int16 or eXmY, with "
      "-e8m0 or -e4m3 for rounded scales; bf16, fp32, or mxfp4, mxfp6-e2m3, mxfp6-e3m2, "
      "mxfp8-e4m3, mxfp8-e5m2, mxint8, nvfp4");
  for (const char* none : {"bf16-e8m0", "mxfp4-e8m0", "int4-e8m0-e8m0", "-e8m0", "int4-e8m0-e4m3"})
    EXPECT_NE(error_of(none), "") << none;
}

TEST(Quantizer, ScalesAreSharedAlongTheAxis) {
  const Format format = integer_format(4);
  const int64_t rows = 3, columns = 7;
  const std::vector<float> x = gaussian(rows * columns, 3);
  struct Case {
    ScaleAxis axis;
    int group;
    std::function<int64_t(int64_t, int64_t)> block;
  };
  const Case cases[] = {
      {ScaleAxis::kTensor, 0, [](int64_t, int64_t) { return 0; }},
      {ScaleAxis::kRow, 0, [](int64_t r, int64_t) { return r; }},
      {ScaleAxis::kColumn, 0, [](int64_t, int64_t c) { return c; }},
      {ScaleAxis::kGroup, 3, [](int64_t r, int64_t c) { return 10 * r + c / 3; }},  // 3, 3 and 1
      {ScaleAxis::kGroup, 1, [](int64_t r, int64_t c) { return 10 * r + c; }},
      {ScaleAxis::kGroup, 100, [](int64_t r, int64_t) { return r; }},
  };
  for (const Case& test : cases) {
    const QuantizedReference q =
        quantize_reference(format, test.axis, test.group, x.data(), rows, columns);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) {
        float largest = 0;
        for (int64_t i = 0; i < rows; ++i) {
          for (int64_t j = 0; j < columns; ++j) {
            if (test.block(i, j) == test.block(r, c))
              largest = std::max(largest, std::fabs(x[i * columns + j]));
          }
        }
        const auto at = static_cast<size_t>(r * columns + c);
        const BlockScale scale = block_scale(format, largest);
        EXPECT_EQ(q.scales[at], scale.scale);
        EXPECT_EQ(q.codes[at], round_to_code(format, x[at] * scale.inverse));
        EXPECT_EQ(q.values[at], q.codes[at] * q.scales[at]);
      }
    }
  }
}

TEST(Quantizer, UnscaledFormatsRoundEntryByEntry) {
  const std::vector<float> x = gaussian(60, 4);
  for (const Format& format : {bf16_format(), fp32_format()}) {
    const QuantizedReference q = quantize_reference(format, ScaleAxis::kColumn, 0, x.data(), 6, 10);
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(q.codes[i], round_to_code(format, x[i]));
      EXPECT_EQ(q.scales[i], 1.0f);
      EXPECT_EQ(q.values[i], q.codes[i]);
    }
  }
}

TEST(Quantizer, EmptyMatricesAreFine) {
  EXPECT_TRUE(
      quantize_reference(integer_format(4), ScaleAxis::kRow, 0, nullptr, 0, 5).codes.empty());
  EXPECT_TRUE(
      quantize_reference(integer_format(4), ScaleAxis::kGroup, 2, nullptr, 5, 0).codes.empty());
}

TEST(Quantizer, NotANumberSpoilsItsBlockOnly) {
  const float x[] = {1, std::nanf(""), 2, 4, 1, std::numeric_limits<float>::infinity(), 7, 7};
  const QuantizedReference q = quantize_reference(integer_format(4), ScaleAxis::kGroup, 2, x, 2, 4);
  EXPECT_TRUE(std::isnan(q.values[1]));
  EXPECT_EQ(q.values[3], 4.0f);
  EXPECT_TRUE(std::isnan(q.values[5]));
  EXPECT_EQ(q.values[6], 7.0f);
}

// If a step is small compared with the spread of the data, the error is uniform over it: mean
// square scale^2 / 12, the square's standard deviation scale^2 / sqrt(180). For a Gaussian of
// deviation s the exact law differs by terms of exp(-2 pi^2 s^2 / scale^2); at 8 bits and absmax
// below 6 s the exponent is below -8000. Five standard errors, and the one entry that has no error.
TEST(Quantizer, ErrorOfAGaussianAtEightBitsIsUniformOverAStep) {
  const int64_t count = 1 << 18;
  const std::vector<float> x = gaussian(count, 11);
  const QuantizedReference q =
      quantize_reference(integer_format(8), ScaleAxis::kTensor, 0, x.data(), 1, count);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double error = (static_cast<double>(x[i]) - q.values[i]) / q.scales[i];
    sum += error * error;
  }
  const double n = static_cast<double>(count);
  EXPECT_NEAR(sum / n, 1.0 / 12, 5 / std::sqrt(180 * n) + 1 / n);
}

TEST(Quantizer, NamesAreReadBack) {
  for (const Granularity granularity :
       {Granularity::kTensor, Granularity::kChannel, Granularity::kToken, Granularity::kGroup,
        Granularity::kSequence, Granularity::kBatch}) {
    for (const Format& format : {integer_format(4), integer_format(16), float_format(2, 1),
                                 bf16_format(), fp32_format()}) {
      const Quantizer quantizer = make_quantizer(format, granularity, 32);
      EXPECT_EQ(parse_quantizer(quantizer.name()), quantizer) << quantizer.name();
    }
  }
  EXPECT_EQ(make_quantizer(float_format(2, 1), Granularity::kGroup, 32).name(), "e2m1/group32");
  EXPECT_EQ(make_quantizer(bf16_format(), Granularity::kGroup, 32), Quantizer{});
  EXPECT_EQ(parse_quantizer("int4"), make_quantizer(integer_format(4), Granularity::kTensor));
  EXPECT_EQ(parse_quantizer("int4/per-sequence").name(), "int4/sequence");
  EXPECT_EQ(parse_quantizer("3/token"), make_quantizer(integer_format(3), Granularity::kToken));
}

TEST(Quantizer, BadTextIsAnError) {
  for (const char* text : {"int4/", "int4/row", "int4/group", "int4/group0", "int4/group-2",
                           "int4/group32x", "int4/ tensor", "bf16/channel", "16/tensor", "/tensor",
                           "int99/tensor", "int4/group99999999999"}) {
    EXPECT_THROW(parse_quantizer(text), Error) << text;
  }
  const float x = 1;
  EXPECT_THROW(quantize_reference(integer_format(4), ScaleAxis::kGroup, 0, &x, 1, 1), Error);
  EXPECT_THROW(make_quantizer(integer_format(4), Granularity::kGroup, 0), Error);
}

}  // namespace
}  // namespace bitlaw
