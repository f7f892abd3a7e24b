#include "formats/gaussian_error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace bitlaw {
namespace {

// Simpson's rule for the error over [-12, 12], where 1 - 4e-33 of the probability is. Where a cell
// ends the slope of the integrand jumps by 2 width density, which costs at most step^2 / 4 of it;
// the jumps are a sum for 2 integral density = 2, so all of them cost less than step^2.
constexpr int kSteps = 1 << 20;
constexpr double kStep = 24.0 / kSteps;
double by_quadrature(const std::function<double(double)>& rounded) {
  double sum = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double x = -12 + i * kStep, e = x - rounded(x);
    const double weight = i == 0 || i == kSteps ? 1 : i % 2 == 1 ? 4 : 2;
    sum += weight * e * e * std::exp(-x * x / 2);
  }
  return sum * kStep / 3 / std::sqrt(2 * M_PI);
}

TEST(GaussianError, AgreesWithQuadratureOverTheRoundingFunction) {
  for (const char* name : {"int2", "int3", "int4", "int8", "e2m0", "e2m1", "e3m2", "e4m3"}) {
    const Format format = parse_format(name);
    for (const double clip : {1.5, 3.0, 5.0}) {
      const double scale = clip / format.max_code;
      const auto rounded = [&](double x) {
        return scale * round_to_code(format, static_cast<float>(x / scale));
      };
      EXPECT_NEAR(gaussian_error(format, scale), by_quadrature(rounded), kStep * kStep)
          << name << " " << clip;
    }
  }
}

// J. Max, "Quantizing for minimum distortion", 1960, table II: an even number of levels, to the
// digits printed there.
TEST(GaussianError, UniformGridsHaveThePublishedOptima) {
  struct Row {
    int bits;
    double step, error, half_digit_step, half_digit_error;
  };
  for (const Row& row : {Row{1, 1.596, .3634, 5e-4, 5e-5}, Row{2, .9957, .1188, 5e-5, 5e-5},
                         Row{3, .5860, .03744, 5e-5, 5e-6}, Row{4, .3352, .01154, 5e-5, 5e-6},
                         Row{5, .1881, .003495, 5e-5, 5e-7}}) {
    const GaussianError best = least_uniform_grid_error(row.bits);
    EXPECT_NEAR(best.scale, row.step, row.half_digit_step) << row.bits;
    EXPECT_NEAR(best.error, row.error, row.half_digit_error) << row.bits;
  }
  EXPECT_NEAR(least_uniform_grid_error(1).error, 1 - 2 / M_PI, 1e-14);
  EXPECT_NEAR(least_uniform_grid_error(1).scale, 2 * std::sqrt(2 / M_PI), 1e-7);
  // From the root of the derivative, in 30 digits.
  EXPECT_NEAR(least_uniform_grid_error(8).error, 8.7686185784093762e-5, 1e-16);
  EXPECT_NEAR(least_uniform_grid_error(12).error, 5.3553653684400451e-7, 1e-18);
}

TEST(GaussianError, TheLogarithmGoesThroughTheOptimaAndIsSmoothBetween) {
  EXPECT_EQ(log_uniform_grid_error(0), 0);
  // The knots are from quadrature by another program; both are good to 1e-12.
  for (int bits = 1; bits <= 16; ++bits) {
    EXPECT_NEAR(log_uniform_grid_error(bits), std::log(least_uniform_grid_error(bits).error), 1e-12)
        << bits;
  }
  EXPECT_EQ(log_uniform_grid_error(INFINITY), -INFINITY);
  EXPECT_TRUE(std::isnan(log_uniform_grid_error(NAN)));
  // Falls everywhere, by 0.95 to 1.39 (2 log 2, the limit) a bit, and its slope has no jumps: over
  // 1/64 bit it changes by at most |second derivative| / 64.
  const double h = 1.0 / 64;
  double slope_before = 0;
  for (double bits = -1; bits <= 20; bits += h) {
    const double slope = (log_uniform_grid_error(bits + h) - log_uniform_grid_error(bits)) / h;
    EXPECT_LT(slope, -0.95) << bits;
    EXPECT_GT(slope, -2 * std::log(2.0)) << bits;
    if (bits > -1) {
      EXPECT_NEAR(slope, slope_before, 0.2 * h) << bits;
    }
    slope_before = slope;
  }
}

// A code more can only help, and no grid of n codes beats the best n codes there are (Lloyd and
// Max; table I of Max 1960): 4 codes .1175, 8 codes .03454, 16 codes .009497.
TEST(GaussianError, FormatsAreBetweenTheirBounds) {
  struct Row {
    const char* name;
    double lloyd_max;  // of 2^bits codes
  };
  for (const Row& row : {Row{"int2", .1175}, Row{"int3", .03454}, Row{"int4", .009497},
                         Row{"e2m0", .03454}, Row{"e2m1", .009497}, Row{"e3m0", .009497}}) {
    const GaussianError best = least_gaussian_error(parse_format(row.name));
    EXPECT_GT(best.error, row.lloyd_max) << row.name;
    for (const double factor : {0.5, 0.9, 0.999, 1.001, 1.1, 2.0}) {
      EXPECT_LE(best.error, gaussian_error(parse_format(row.name), factor * best.scale))
          << row.name << " " << factor;
    }
  }
  for (int bits = 3; bits <= 12; ++bits) {
    EXPECT_LT(least_gaussian_error(integer_format(bits)).error,
              least_gaussian_error(integer_format(bits - 1)).error);
    // The codes of intB are a uniform grid that is off by half a step.
    EXPECT_NEAR(least_gaussian_error(integer_format(bits)).error,
                least_uniform_grid_error(bits).error, 0.15 * least_uniform_grid_error(bits).error);
  }
}

TEST(GaussianError, UnscaledFormats) {
  EXPECT_EQ(gaussian_error(fp32_format(), 1), 0);
  // Eight significant bits: within a binade [1, 2) u the error is (2^-7 u)^2 / 12 on average, so
  // relative to x^2 it lies between the values at both ends.
  const double error = least_gaussian_error(bf16_format()).error;
  EXPECT_GT(error, std::exp2(-18) / 12);
  EXPECT_LT(error, std::exp2(-14) / 12);
}

}  // namespace
}  // namespace bitlaw
