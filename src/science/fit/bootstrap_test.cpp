#include "fit/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>

#include "solve/quantile.h"

namespace bitlaw {
namespace {

// The bootstrap of a mean of n has standard deviation s sqrt((n - 1) / n) / sqrt(n), s the sample's
// own; the expanded percentile reaches as far as Student's t does.
TEST(Bootstrap, ExpandedPercentilesOfAMeanAreStudents) {
  for (const int n : {5, 12, 44, 1000}) {
    const double expanded = expanded_level(0.9, n);
    const double z = t_quantile(0.5 + 0.5 * expanded, 1e9);
    EXPECT_NEAR(z * std::sqrt((n - 1.0) / n), t_quantile(0.95, n - 1), 1e-6) << n;
    EXPECT_GT(expanded, 0.9);
    EXPECT_LT(expanded, 1);
  }
  EXPECT_NEAR(expanded_level(0.9, 1000000), 0.9, 1e-6);
  EXPECT_EQ(expanded_level(0.9, 1), 0.9);
  EXPECT_GT(expanded_level(0.9, 2), 0.99999);  // the whole range of the draws
}

TEST(Bootstrap, PercentilesOfAUniformSampleAreItsQuantiles) {
  std::vector<double> sample;
  for (int i = 0; i <= 100; ++i) sample.push_back(100 - i);
  sample.push_back(kUnknown);
  const Interval interval = percentile_interval(sample, 0.9);
  EXPECT_DOUBLE_EQ(interval.low, 5);
  EXPECT_DOUBLE_EQ(interval.high, 95);
}

}  // namespace
}  // namespace bitlaw
