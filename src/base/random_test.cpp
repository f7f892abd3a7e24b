#include "base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace bitlaw {
namespace {

using Words = std::array<uint32_t, 4>;

// Known answers of philox4x32-10 published with Random123 (kat_vectors).
TEST(Random, PhiloxMatchesThePublishedVectors) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, SeedStreamAndIndexFillKeyAndCounter) {
  EXPECT_EQ(random_words(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
  EXPECT_NE(random_words(1, 0, 0), random_words(0, 1, 0));
  EXPECT_NE(random_words(0, 1, 0), random_words(0, 0, 1));
  EXPECT_EQ(random_u64(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88),
            0xd16cfe0994fdccebu);
}

// Mean and variance of n draws within five standard errors: the mean of n has deviation s /
// sqrt(n), the sample variance s^2 sqrt((kurtosis - 1) / n), kurtosis 9/5 for the uniform and 3 for
// the normal.
void expect_moments(const std::vector<double>& x, double mean, double variance, double kurtosis) {
  const double n = static_cast<double>(x.size());
  double sum = 0, squares = 0;
  for (const double value : x) {
    sum += value;
    squares += (value - mean) * (value - mean);
  }
  EXPECT_NEAR(sum / n, mean, 5 * std::sqrt(variance / n));
  EXPECT_NEAR(squares / n, variance, 5 * variance * std::sqrt((kurtosis - 1) / n));
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  std::vector<double> uniform, normal;
  for (uint64_t i = 0; i < 200000; ++i) {
    uniform.push_back(random_uniform(7, 3, i));
    normal.push_back(random_normal(7, 4, i));
    ASSERT_GE(uniform.back(), 0.0);
    ASSERT_LT(uniform.back(), 1.0);
    ASSERT_TRUE(std::isfinite(normal.back()));
  }
  expect_moments(uniform, 0.5, 1.0 / 12, 1.8);
  expect_moments(normal, 0, 1, 3);
}

// Counts of a fair die are binomial.
TEST(Random, WholeNumbersAreEquallyLikely) {
  const int faces = 6, throws = 60000;
  std::vector<int> counts(faces);
  for (uint64_t i = 0; i < throws; ++i) {
    const uint64_t face = random_below(1, 2, i, faces);
    ASSERT_LT(face, static_cast<uint64_t>(faces));
    ++counts[face];
  }
  const double expected = throws / static_cast<double>(faces);
  for (const int count : counts)
    EXPECT_NEAR(count, expected, 5 * std::sqrt(expected * (1 - 1.0 / faces)));
}

}  // namespace
}  // namespace bitlaw
