#include "formats/gaussian_scale.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "formats/block_error.h"
#include "formats/gaussian_error.h"

namespace bitlaw {
namespace {

constexpr const char* kFormats[] = {"int2", "int3", "int4", "int5", "int6", "int8", "e2m0",
                                    "e2m1", "e3m0", "e2m3", "e3m2", "e4m3", "e5m2"};

// To the digits of the table in gaussian_scale.h, which another program computed. e2m1's is the
// constant of Quartet (arXiv 2505.14669), 2.92247856 / 6.
TEST(GaussianScale, OfAFormatIsTheBestForANormalVariable) {
  struct Row {
    const char* name;
    double scale, half_digit;
  };
  for (const Row& row :
       {Row{"int2", 1.0484, 5e-5}, Row{"int3", .6018, 5e-5}, Row{"int4", .3386, 5e-5},
        Row{"int5", .1888, 5e-5}, Row{"int6", .1042, 5e-5}, Row{"int8", .03077, 5e-6},
        Row{"e2m1", 2.92247856 / 6, 1e-5}, Row{"e2m3", .4997, 5e-5}, Row{"e3m2", .1622, 5e-5},
        Row{"e4m3", .02038, 5e-6}}) {
    EXPECT_NEAR(gaussian_scale(parse_format(row.name)), row.scale, row.half_digit) << row.name;
  }
  for (const char* name : kFormats) {
    const Format format = parse_format(name);
    const GaussianError best = least_gaussian_error(format);
    const float scale = gaussian_scale(format);
    EXPECT_NEAR(scale, best.scale, 0x1p-16 * best.scale) << name;
    EXPECT_EQ(std::bit_cast<uint32_t>(scale) & 0xffu, 0u) << name;  // sixteen bits
    // At the minimum the error is flat: it changes by the square of 2^-17, times its curvature.
    EXPECT_NEAR(gaussian_error(format, scale), best.error, 1e-7 * best.error) << name;
  }
}

// The last of the sixteen bits is certain: the number is further from a tie than the search errs.
TEST(GaussianScale, NoMachineDecidesABit) {
  for (const char* name : kFormats) {
    const double exact = least_gaussian_error(parse_format(name)).scale;
    int exponent = 0;
    const double steps = std::ldexp(std::frexp(exact, &exponent), 16);
    EXPECT_GT(std::fabs(steps - std::floor(steps) - 0.5), 65536 * 1e-7) << name;
  }
}

TEST(GaussianScale, OfNumbersIsThatOfTheirSize) {
  for (const char* name : {"int4", "e2m1"}) {
    const Format format = parse_format(name);
    const double c = gaussian_scale(format);
    EXPECT_EQ(gaussian_scale(format, 4 * 100, 100), static_cast<float>(2 * c));
    EXPECT_EQ(gaussian_scale(format, 0, 7), 0);
    EXPECT_EQ(gaussian_scale(format, 0x1p-300, 1), 0);
  }
}

// Normal numbers are rounded with the error that the formula promises, to four standard errors.
TEST(GaussianScale, RoundsNormalNumbersWithTheLeastError) {
  constexpr int64_t n = 1 << 16;
  std::vector<float> x;
  for (int64_t i = 0; i < n; ++i)
    x.push_back(static_cast<float>(3 * random_normal(5, 1, static_cast<uint64_t>(i))));
  const double squares = sum_of_squares(x.data(), n);
  for (const char* name : {"int3", "int4", "e2m1"}) {
    const Format format = parse_format(name);
    const float scale = gaussian_scale(format, squares, n);
    double sum = 0, sum_of_fourth = 0;
    for (const float each : x) {
      const double error = each - scale * round_to_code(format, each / scale);
      sum += error * error;
      sum_of_fourth += error * error * error * error;
    }
    const double mean = sum / n, deviation = std::sqrt(sum_of_fourth / n - mean * mean);
    const double promised = least_gaussian_error(format).error * squares / n;
    EXPECT_NEAR(mean, promised, 4 * deviation / std::sqrt(static_cast<double>(n))) << name;
  }
}

TEST(GaussianScale, SumsOfSquaresHaveTheSameBitsEverywhere) {
  std::vector<float> x;
  for (uint64_t i = 0; i < 1000; ++i) x.push_back(static_cast<float>(random_normal(5, 2, i)));
  for (const int64_t count : {0, 1, 7, 16, 17, 100, 1000}) {
    double lanes[16] = {};
    for (int64_t i = 0; i < count; ++i) {
      const double wide = x[static_cast<size_t>(i)];
      lanes[i % 16] += wide * wide;
    }
    for (int step = 8; step > 0; step /= 2) {
      for (int i = 0; i < step; ++i) lanes[i] += lanes[i + step];
    }
    for (Isa isa : {Isa::kPlain, Isa::kAvx2, Isa::kAvx512}) {
      if (isa <= best_isa()) {
        EXPECT_EQ(sum_of_squares(isa, x.data(), count), lanes[0]) << count;
      }
    }
  }
}

// Inside, and half of the last step beyond the last code; where the error of rounding is larger
// than half of the last step there is no trust.
TEST(TrustedRange, EndsHalfOfTheLastStepBeyondTheLastCode) {
  for (const char* name : kFormats) {
    const Format format = parse_format(name);
    const std::vector<float> codes = all_codes(format);
    const TrustedRange range = trusted_range(format);
    const float last = (codes[codes.size() - 1] - codes[codes.size() - 2]) / 2;
    EXPECT_EQ(range.high, codes.back() + last) << name;
    EXPECT_EQ(range.low, codes.front() - (codes[1] - codes[0]) / 2) << name;
    for (const float edge : {range.low, range.high}) {
      EXPECT_TRUE(range.holds(edge));
      EXPECT_FALSE(range.holds(edge * (1 + 0x1p-20f)));
    }
    for (const float code : codes) EXPECT_TRUE(range.holds(code));
  }
}

}  // namespace
}  // namespace bitlaw
