#include "formats/code_entropy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "formats/gaussian_scale.h"

namespace bitlaw {
namespace {

TEST(CodeEntropy, OfCountsIsThatOfTheirShares) {
  EXPECT_DOUBLE_EQ(entropy_of_counts(std::vector<double>{5, 5, 5, 5}), 2);
  EXPECT_DOUBLE_EQ(entropy_of_counts(std::vector<double>{7, 0, 0}), 0);
  EXPECT_DOUBLE_EQ(entropy_of_counts(std::vector<double>{}), 0);
  EXPECT_DOUBLE_EQ(entropy_of_counts(std::vector<double>{2, 1, 1}), 1.5);
}

// Fine steps: H = log2 sqrt(2 pi e) - log2 s, the differential entropy in units of the step, and
// s^2 / (24 ln 2) more, because the density is not flat within a step; the rest is of order s^4.
TEST(CodeEntropy, OfFineStepsIsTheDifferentialEntropy) {
  const double of_normal = 0.5 * std::log2(2 * M_PI * std::exp(1.0));
  for (const double scale : {1.0 / 64, 1.0 / 256}) {
    EXPECT_NEAR(gaussian_code_entropy(integer_format(14), scale),
                of_normal - std::log2(scale) + scale * scale / (24 * std::log(2.0)),
                std::pow(scale, 4));
  }
}

TEST(CodeEntropy, IsAtMostTheBitsOfACode) {
  for (const char* name : {"int2", "int3", "int4", "int8", "e2m1", "e3m2", "e4m3"}) {
    const Format format = parse_format(name);
    double before = 100;
    for (const int64_t group : {2, 16, 32, 128, 4096, 65536}) {
      const double bits = gaussian_group_entropy(format, group);
      EXPECT_LT(bits, format.bits) << name;
      EXPECT_GT(bits, 0) << name;
      if (group >= 32 && format.kind == FormatKind::kInteger) {
        EXPECT_LT(bits, before) << name << ": a wider range leaves coarser steps, group " << group;
      }
      before = bits;
    }
  }
}

// The quantizer itself on random normal numbers. The plug-in entropy of n draws is low by about
// (codes - 1) / (2 n ln 2), and its standard error is sqrt(Var(log2 p) / n) < 1.2 / sqrt(n) here;
// entries of a group share its largest, so groups rather than entries are counted for that.
TEST(CodeEntropy, AgreesWithRoundedRandomNumbers) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  for (const char* name : {"int3", "int4", "e2m1"}) {
    const Format format = parse_format(name);
    for (const int group : {2, 3, 32, 128}) {
      std::map<float, double> counts;
      const int groups = 400'000 / group;
      std::vector<double> x(static_cast<size_t>(group));
      for (int i = 0; i < groups; ++i) {
        double most = 0;
        for (double& each : x) each = normal(random), most = std::max(most, std::fabs(each));
        const double inverse = format.max_code / most;
        for (const double each : x)
          counts[round_to_code(format, static_cast<float>(each * inverse)) + 0.0f] += 1;
      }
      std::vector<double> list;
      for (const auto& [code, count] : counts) list.push_back(count);
      EXPECT_NEAR(gaussian_group_entropy(format, group), entropy_of_counts(list),
                  4 * 1.2 / std::sqrt(groups) + 1e-4)
          << name << " " << group;
    }
    std::map<float, double> counts;
    const float scale = gaussian_scale(format);
    for (int i = 0; i < 400'000; ++i)
      counts[round_to_code(format, static_cast<float>(normal(random) / scale)) + 0.0f] += 1;
    std::vector<double> list;
    for (const auto& [code, count] : counts) list.push_back(count);
    EXPECT_NEAR(gaussian_code_entropy(format, scale), entropy_of_counts(list),
                4 * 1.2 / std::sqrt(400'000.0) + 1e-4)
        << name;
  }
}

// Probabilities of a group's codes sum to one whatever the group: the integral is known to 1e-9.
// Twice the codes of int2 (-1, 0, 1) have a closed form for groups of two: the largest gets an end,
// the other is 0 if it is below half of it: p = P(|y| < |x|/2 given |y| < |x|) = 4 atan(1/2) / pi.
TEST(CodeEntropy, GroupsOfTwoHaveAClosedForm) {
  const double zero = 0.5 * 4 * std::atan(0.5) / M_PI, end = (1 - zero) / 2;
  const double expected = -zero * std::log2(zero) - 2 * end * std::log2(end);
  EXPECT_NEAR(gaussian_group_entropy(integer_format(2), 2), expected, 1e-9);
  EXPECT_EQ(gaussian_group_entropy(integer_format(4), 1), 1);
}

// A BF16 number has a sign, seven bits of mantissa that are nearly even, and an exponent.
TEST(CodeEntropy, OfUnroundedWeightsIsElevenBits) {
  const double at_one = gaussian_code_entropy(bf16_format(), 1);
  EXPECT_GT(at_one, 10);
  EXPECT_LT(at_one, 11);
}

}  // namespace
}  // namespace bitlaw
