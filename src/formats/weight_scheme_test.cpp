#include "formats/weight_scheme.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/random.h"
#include "formats/block_error.h"
#include "formats/block_grid.h"
#include "formats/gaussian_scale.h"
#include "formats/half.h"
#include "formats/quantizer.h"

namespace bitlaw {
namespace {

std::vector<float> normal_weights(int64_t count, uint64_t seed, double deviation = 1) {
  std::vector<float> x(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    x[static_cast<size_t>(i)] =
        static_cast<float>(deviation * random_normal(seed, 0, static_cast<uint64_t>(i)));
  }
  return x;
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (int bits = 2; bits <= 8; ++bits) {
    for (const char* ending :
         {"", "-asym", "-clip", "-gauss", "-asym-clip", "-e8m0", "-e4m3", "-e8m0-clip"})
      names.push_back("int" + std::to_string(bits) + ending);
  }
  for (const char* format : {"e2m0", "e2m1", "e2m3", "e3m0", "e3m2", "e4m1", "e4m3", "e5m2"}) {
    for (const char* ending : {"", "-clip", "-gauss", "-e8m0", "-e8m0-clip", "-e8m0-gauss", "-e4m3",
                               "-e4m3-clip", "-e4m3-gauss"})
      names.push_back(std::string(format) + ending);
  }
  for (const char* block :
       {"mxfp4", "mxfp6-e2m3", "mxfp6-e3m2", "mxfp8-e4m3", "mxfp8-e5m2", "mxint8", "nvfp4"}) {
    names.emplace_back(block);
    names.push_back(std::string(block) + "-clip");
    names.push_back(std::string(block) + "-gauss");
  }
  return names;
}

// As the search counts it: every difference is a float.
double error_of(const WeightScheme& scheme, const BlockGrid& grid, const std::vector<float>& w) {
  double sum = 0;
  for (const float x : w) {
    const double difference = x - value_of(grid, code_of(scheme, grid, x));
    sum += difference * difference;
  }
  return sum;
}

BlockGrid grid_of(const WeightScheme& scheme, const std::vector<float>& w) {
  const auto count = static_cast<int64_t>(w.size());
  return block_grid(scheme, tensor_scale(scheme, largest_magnitude(w.data(), count)), w.data(),
                    count);
}

TEST(WeightScheme, NamesAreReadBack) {
  for (const std::string& name : all_names()) {
    EXPECT_EQ(parse_weight_scheme(name).name(), name);
    const bool block = name.starts_with("mx") || name.starts_with("nv");
    EXPECT_EQ(parse_weight_scheme(name).is_block_format(), block) << name;
    if (!block) {
      const WeightScheme grouped = parse_weight_scheme(name, 24);
      EXPECT_EQ(grouped.group, 24);
      EXPECT_EQ(parse_weight_scheme(grouped.name(), 24), grouped) << name;
    }
  }
  EXPECT_EQ(parse_weight_scheme("4"), parse_weight_scheme("int4"));
  EXPECT_EQ(parse_weight_scheme("int4-clip-asym"), parse_weight_scheme("int4-asym-clip"));
  EXPECT_EQ(parse_weight_scheme("mxfp4", 32), parse_weight_scheme("e2m1-e8m0", 32));
  EXPECT_EQ(parse_weight_scheme("nvfp4", 16), parse_weight_scheme("e2m1-e4m3", 16));
  EXPECT_EQ(parse_weight_scheme("mxfp4").group, 32);
  EXPECT_EQ(parse_weight_scheme("nvfp4").group, 16);
}

TEST(WeightScheme, ErrorsSayWhatIsKnown) {
  const auto message = [](const std::string& text, int group = 0) -> std::string {
    try {
      parse_weight_scheme(text, group);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message("mxpf4").find("did you mean 'mxfp4'?"), std::string::npos);
  EXPECT_NE(message("int4-assym").find("did you mean 'int4-asym'?"), std::string::npos);
  EXPECT_NE(message("mxfp6").find("mxfp6-e2m3"), std::string::npos);
  EXPECT_NE(message("int4-clip-clip").find("unknown weight format"), std::string::npos);
  EXPECT_NE(message("").find("unknown weight format"), std::string::npos);
  EXPECT_NE(message("bf16").find("has no scale"), std::string::npos);
  EXPECT_NE(message("e2m1-asym").find("zero point needs integers"), std::string::npos);
  EXPECT_NE(message("int9-asym").find("zero point needs integers"), std::string::npos);
  EXPECT_NE(message("int4-asym-e8m0").find("needs an FP32 scale"), std::string::npos);
  EXPECT_NE(message("mxint8-asym").find("needs an FP32 scale"), std::string::npos);
  EXPECT_NE(message("int4-clip-gauss").find("use one of the two"), std::string::npos);
  EXPECT_NE(message("int4-asym-gauss").find("without a zero point"), std::string::npos);
  EXPECT_NE(message("mxfp4", 64).find("blocks of 32, not 64"), std::string::npos);
  EXPECT_NE(message("int4", -1).find("group cannot have -1"), std::string::npos);
}

TEST(WeightScheme, SymmetricWithFloatScalesIsTheQuantizer) {
  const int64_t rows = 6, columns = 50;
  for (const std::string name : {"int2", "int3", "int4", "int8", "e2m0", "e2m1", "e3m2", "e4m3"}) {
    for (const int group : {0, 16, 7}) {
      for (const double deviation : {1.0, 1e-37, 1e30}) {
        const std::vector<float> w = normal_weights(rows * columns, 5, deviation);
        const WeightScheme scheme = parse_weight_scheme(name, group);
        const WeightReference ours = quantize_reference(scheme, w.data(), rows, columns);
        const QuantizedReference expected =
            quantize_reference(scheme.format, group == 0 ? ScaleAxis::kRow : ScaleAxis::kGroup,
                               group, w.data(), rows, columns);
        for (size_t i = 0; i < w.size(); ++i) {
          ASSERT_EQ(std::bit_cast<uint32_t>(ours.codes[i]),
                    std::bit_cast<uint32_t>(expected.codes[i]));
          ASSERT_EQ(ours.scales[i], expected.scales[i]);
          ASSERT_EQ(ours.zeros[i], 0);
          ASSERT_EQ(std::bit_cast<uint32_t>(ours.values[i]),
                    std::bit_cast<uint32_t>(expected.values[i]));
        }
      }
    }
  }
}

TEST(WeightScheme, CodesStayInRangeAndFitBf16WhereTheySaySo) {
  for (const std::string& name : all_names()) {
    const WeightScheme scheme = parse_weight_scheme(name, 0);
    std::vector<float> w = normal_weights(64, 11);
    w[3] = 40;  // an outlier for the search to cut off
    const BlockGrid grid = grid_of(scheme, w);
    for (const float x : w) {
      const float code = code_of(scheme, grid, x);
      ASSERT_GE(code, scheme.lowest_code()) << name;
      ASSERT_LE(code, scheme.highest_code()) << name;
      ASSERT_EQ(round_to_bf16(code - grid.zero) == code - grid.zero, scheme.codes_fit_bf16())
          << name;
    }
    EXPECT_EQ(code_of(scheme, grid, -1e30f), scheme.lowest_code()) << name;
    EXPECT_EQ(code_of(scheme, grid, 1e30f), scheme.highest_code()) << name;
    EXPECT_TRUE(std::isnan(code_of(scheme, grid, std::nanf("")))) << name;
  }
}

TEST(WeightScheme, BlocksOfZerosHaveZeroValues) {
  for (const std::string& name : all_names()) {
    const WeightScheme scheme = parse_weight_scheme(name);
    for (const float zero : {0.0f, -0.0f}) {
      const std::vector<float> w(40, zero);
      EXPECT_EQ(quantize_reference(scheme, w.data(), 2, 20).values, std::vector<float>(40, 0.0f))
          << name;
    }
    EXPECT_TRUE(quantize_reference(scheme, nullptr, 0, 5).values.empty());
    EXPECT_TRUE(quantize_reference(scheme, nullptr, 5, 0).values.empty());
  }
}

// Also at the end of the range that the rounding of the zero point cuts off: by half a step at most.
// The operations that round are scale, inverse, product and the value: 2^-21 of x.
TEST(WeightScheme, AsymmetricErrorIsAtMostHalfAStepAndZeroIsExact) {
  struct Range {
    float lo, hi;
  };
  const Range ranges[] = {{-1, 3}, {-3, 1}, {0.5f, 2}, {-2, -0.25f}, {-1e-3f, 1}, {-5, 5}, {2, 2}};
  for (int bits = 2; bits <= 8; ++bits) {
    const WeightScheme scheme = parse_weight_scheme("int" + std::to_string(bits) + "-asym");
    for (const Range& range : ranges) {
      std::vector<float> w{range.lo, range.hi};
      for (int i = 0; i < 500; ++i)
        w.push_back(range.lo + (range.hi - range.lo) * static_cast<float>(random_uniform(
                                                           3, 1, static_cast<uint64_t>(i))));
      const BlockGrid grid = grid_of(scheme, w);
      const double span = static_cast<double>(std::max(range.hi, 0.0f)) - std::min(range.lo, 0.0f);
      EXPECT_EQ(grid.scale, static_cast<float>(span / ((1 << bits) - 1)));
      EXPECT_EQ(grid.zero, std::nearbyint(grid.zero));
      EXPECT_EQ(value_of(grid, code_of(scheme, grid, 0.0f)), 0.0f);
      EXPECT_EQ(value_of(grid, code_of(scheme, grid, -0.0f)), 0.0f);
      for (const float x : w) {
        const double error = std::fabs(value_of(grid, code_of(scheme, grid, x)) - x);
        ASSERT_LE(error, grid.scale / 2 + 0x1p-21 * std::fabs(x)) << scheme.name();
      }
    }
  }
}

TEST(WeightScheme, ConstantBlocksAreExactUpToTheScale) {
  for (int bits = 2; bits <= 8; ++bits) {
    const WeightScheme scheme = parse_weight_scheme("int" + std::to_string(bits) + "-asym");
    for (const float x : {1.7f, -0.3f}) {
      const BlockGrid grid = grid_of(scheme, std::vector<float>(9, x));
      EXPECT_NEAR(value_of(grid, code_of(scheme, grid, x)), x, 0x1p-22 * std::fabs(x));
    }
  }
}

// One-sided data uses half of a symmetric grid: with 2^B - 1 steps in place of 2^(B-1) - 1 the error
// is about a quarter, and always less.
TEST(WeightScheme, AsymmetricBeatsSymmetricOnOneSidedData) {
  for (int bits = 2; bits <= 8; ++bits) {
    const WeightScheme symmetric = parse_weight_scheme("int" + std::to_string(bits));
    WeightScheme asymmetric = symmetric;
    asymmetric.asymmetric = true;
    for (uint64_t seed = 0; seed < 50; ++seed) {
      std::vector<float> w = normal_weights(64, seed);
      const float sign = seed % 2 == 0 ? 1.0f : -1.0f;
      for (float& x : w) x = sign * std::fabs(x);
      EXPECT_LT(error_of(asymmetric, grid_of(asymmetric, w), w),
                error_of(symmetric, grid_of(symmetric, w), w))
          << bits << " bits, seed " << seed;
    }
  }
}

TEST(WeightScheme, MidpointsGoToTheEvenCodeAndTheirNeighboursToTheNearerOne) {
  for (const std::string& name : all_names()) {
    WeightScheme scheme = parse_weight_scheme(name);
    if (scheme.clip) continue;
    // A grid with scale 1: everything below is exact.
    const float zero = scheme.asymmetric ? std::floor(scheme.highest_code() / 3) : 0;
    const BlockGrid grid{.scale = 1, .inverse = 1, .zero = zero};
    std::vector<float> codes = all_codes(scheme.format);
    if (scheme.asymmetric) {
      codes.clear();
      for (float code = 0; code <= scheme.highest_code(); ++code) codes.push_back(code);
    }
    const auto is_even = [&](float code) {
      if (scheme.format.kind == FormatKind::kInteger) return std::fmod(code - zero, 2.0f) == 0;
      const auto at = std::lower_bound(codes.begin(), codes.end(), std::fabs(code));
      return (at - std::lower_bound(codes.begin(), codes.end(), 0.0f)) % 2 == 0;
    };
    for (size_t i = 0; i + 1 < codes.size(); ++i) {
      const float below = codes[i] - zero, above = codes[i + 1] - zero;
      const float middle = (below + above) / 2;
      EXPECT_EQ(code_of(scheme, grid, middle), is_even(codes[i]) ? codes[i] : codes[i + 1]) << name;
      EXPECT_EQ(code_of(scheme, grid, std::nextafter(middle, below)), codes[i]) << name;
      EXPECT_EQ(code_of(scheme, grid, std::nextafter(middle, above)), codes[i + 1]) << name;
      EXPECT_EQ(code_of(scheme, grid, below), codes[i]) << name;
    }
  }
}

std::vector<float> heavy_tailed(int64_t count, uint64_t seed) {
  std::vector<float> w = normal_weights(count, seed);
  for (float& x : w) x = x * x * x;
  return w;
}

TEST(WeightScheme, ClipNeverHasTheLargerError) {
  for (const std::string& name : all_names()) {
    WeightScheme clipped = parse_weight_scheme(name);
    if (clipped.gauss) continue;
    clipped.clip = true;
    WeightScheme plain = clipped;
    plain.clip = false;
    double sum = 0, plain_sum = 0;
    for (uint64_t seed = 0; seed < 30; ++seed) {
      const int64_t count = 1 + static_cast<int64_t>(random_below(seed, 9, 0, 200));
      const std::vector<float> w =
          seed % 2 == 0 ? normal_weights(count, seed) : heavy_tailed(count, seed);
      const float matrix = tensor_scale(plain, 3 * largest_magnitude(w.data(), count));
      const double error = error_of(clipped, block_grid(clipped, matrix, w.data(), count), w);
      const double plain_error = error_of(plain, block_grid(plain, matrix, w.data(), count), w);
      // The order of 200 sums of squares in double.
      ASSERT_LE(error, plain_error * (1 + 200 * 0x1p-52)) << name << " seed " << seed;
      sum += error;
      plain_sum += plain_error;
    }
    if (clipped.format.bits > 4) continue;  // fine grids may have nothing to gain
    EXPECT_LT(sum, plain_sum) << name;
  }
}

TEST(WeightScheme, ClipFindsTheBestFactorAndOfEqualOnesTheLargest) {
  for (const std::string name : {"int2-clip", "int4-clip", "e2m1-clip", "int3-asym-clip"}) {
    const WeightScheme clipped = parse_weight_scheme(name);
    WeightScheme plain = clipped;
    plain.clip = false;
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const std::vector<float> w = heavy_tailed(40, seed);
      double least = std::numeric_limits<double>::infinity();
      float scale = 0;
      for (int percent = 100; percent >= 20; --percent) {
        // A block whose range is `factor` times that of w.
        const float factor = static_cast<float>(percent) / 100;
        const auto [lo, hi] = std::minmax_element(w.begin(), w.end());
        const BlockGrid grid = grid_of(plain, {*lo * factor, *hi * factor});
        const double error = error_of(plain, grid, w);
        if (error < least * (1 - 1e-12)) {
          least = error;
          scale = grid.scale;
        }
      }
      EXPECT_EQ(grid_of(clipped, w).scale, scale) << name << " seed " << seed;
    }
  }
  // Exactly held by many scales: 0 and one value.
  const std::vector<float> w{0, 3, 0, 3};
  EXPECT_EQ(grid_of(parse_weight_scheme("int4-asym-clip"), w).scale, 0.2f);
  EXPECT_EQ(grid_of(parse_weight_scheme("e2m1-e8m0-clip"), {1, 1}).scale, 0.5f);
}

// The scale is that of gaussian_scale.h, as it is, rounded down to a power of two, or in e4m3.
TEST(WeightScheme, GaussTakesTheScaleOfNormalNumbersOfItsSize) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<float> w = normal_weights(64, seed, std::exp(static_cast<double>(seed) - 10));
    double squares = 0;
    for (const float x : w) squares += double{x} * x;
    for (const std::string name : {"int3", "int4", "e2m1", "e4m3"}) {
      const WeightScheme plain = parse_weight_scheme(name + "-gauss");
      const auto expected = static_cast<double>(gaussian_scale(plain.format)) *
                            std::sqrt(squares / static_cast<double>(w.size()));
      const float scale = grid_of(plain, w).scale;
      EXPECT_NEAR(scale, expected, 0x1p-23 * expected) << name;
      const BlockGrid power = grid_of(parse_weight_scheme(name + "-e8m0-gauss"), w);
      EXPECT_EQ(power.scale, std::exp2(std::floor(std::log2(scale)))) << name;
      EXPECT_EQ(power.inverse, 1 / power.scale) << name;
      const WeightScheme rounded = parse_weight_scheme(name + "-e4m3-gauss");
      const float matrix = tensor_scale(rounded, 3 * largest_magnitude(w.data(), 64));
      EXPECT_EQ(block_grid(rounded, matrix, w.data(), 64).scale,
                round_to_code(float_format(4, 3), scale / matrix) * matrix)
          << name;
    }
  }
}

TEST(BlockError, IsTheSumOfSquaresWithTheSameBitsOnEveryInstructionSet) {
  for (const std::string name : {"int2", "int5-asym", "int8", "e2m0", "e2m1", "e3m0", "e4m3",
                                 "e5m2", "e5m6", "e7m0", "e2m10"}) {
    const WeightScheme scheme = parse_weight_scheme(name);
    for (const int64_t count : {1, 15, 16, 17, 100, 1000}) {
      const std::vector<float> w = heavy_tailed(count, static_cast<uint64_t>(count));
      const BlockGrid grid = grid_of(scheme, normal_weights(20, 3));  // most outliers saturate
      BlockRounding rounding = unscaled_rounding(scheme.format);
      rounding.scale = grid.scale, rounding.inverse = grid.inverse;
      rounding.lowest = scheme.lowest_code() - grid.zero;
      rounding.highest = scheme.highest_code() - grid.zero;
      double lanes[16] = {};
      for (int64_t i = 0; i < count; ++i) {
        const float x = w[static_cast<size_t>(i)];
        const double difference = x - value_of(grid, code_of(scheme, grid, x));
        lanes[i % 16] += difference * difference;
      }
      for (int step = 8; step > 0; step /= 2) {
        for (int i = 0; i < step; ++i) lanes[i] += lanes[i + step];
      }
      for (const Isa isa : {Isa::kPlain, Isa::kAvx2, Isa::kAvx512}) {
        if (isa > best_isa()) continue;
        EXPECT_EQ(squared_error(isa, rounding, w.data(), count), lanes[0])
            << name << " " << count << " " << name_of(isa);
      }
    }
  }
}

TEST(BlockError, LargestMagnitudeIsThatOfTheBitsOnEveryInstructionSet) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const int64_t count : {0, 1, 3, 4, 15, 16, 17, 100, 1000}) {
    std::vector<float> w = heavy_tailed(count, static_cast<uint64_t>(count));
    for (const float odd : {0.0f, -1e30f, -infinity, -std::nanf("")}) {
      if (count > 0) w[static_cast<size_t>(count * 2 / 3)] = odd;
      uint32_t expected = 0;
      for (const float x : w) expected = std::max(expected, std::bit_cast<uint32_t>(x) << 1 >> 1);
      for (const Isa isa : {Isa::kPlain, Isa::kAvx2, Isa::kAvx512}) {
        if (isa > best_isa()) continue;
        EXPECT_EQ(std::bit_cast<uint32_t>(largest_magnitude(isa, w.data(), count)), expected)
            << count << " " << odd << " " << name_of(isa);
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw
