#include "fit/compare_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"

namespace bitlaw {
namespace {

// Burnham and Anderson 2002, section 2.4: AIC + 2 k (k + 1) / (n - k - 1).
TEST(CompareStatistics, AiccIsAicWithItsCorrection) {
  const double aic = 20 * std::log(0.5 / 20) + 2 * 3;
  EXPECT_NEAR(corrected_information(0.5, 20, 3), aic + 2 * 3 * 4 / 16.0, 1e-12);
  EXPECT_TRUE(std::isnan(corrected_information(0.5, 4, 3)));
  EXPECT_NEAR(corrected_information(0.5, 1e6, 3) - (1e6 * std::log(0.5 / 1e6) + 6), 0, 1e-4);
}

// A constant that explains nothing lowers the SSE by a chi-squared of one degree; AICc must charge
// more for it than that is worth in the mean, and prefer the smaller model with the probability
// that the chi-squared stays below the charge.
TEST(CompareStatistics, AiccPrefersTheSmallerOfNestedModels) {
  constexpr int n = 40, draws = 4000;
  int preferred = 0;
  for (int draw = 0; draw < draws; ++draw) {
    // Model 1: the mean. Model 2: the mean and a slope along z, orthogonal to ones.
    double mean = 0, slope = 0, squares = 0, zz = 0;
    for (int i = 0; i < n; ++i) {
      const double y = random_normal(7, draw, i), z = i - (n - 1) / 2.0;
      mean += y / n, slope += z * y, squares += y * y, zz += z * z;
    }
    const double small = squares - n * mean * mean, large = small - slope * slope / zz;
    preferred += corrected_information(small, n, 1) < corrected_information(large, n, 2);
  }
  // The charge is 2.21 (k = 1 to 2 at n = 40), the gain n log(small / large) = n log(1 + F / (n -
  // 2)) with F of (1, 38) degrees: F stays below 38 (e^(2.21/40) - 1) = 2.16 with 85.0 %.
  const double share = static_cast<double>(preferred) / draws;
  EXPECT_NEAR(share, 0.850, 4 * std::sqrt(0.85 * 0.15 / draws));
}

TEST(CompareStatistics, OneRowAClusterIsTheUsualStandardErrorOfAMean) {
  const std::vector<double> a{3, 1, 4, 1, 5}, zero(5, 0);
  std::vector<int> cluster(5);
  std::iota(cluster.begin(), cluster.end(), 0);
  const Difference difference = mean_difference(a, zero, cluster);
  EXPECT_DOUBLE_EQ(difference.mean, 2.8);
  // Sample variance 3.2, over 5.
  EXPECT_NEAR(difference.standard_error, std::sqrt(3.2 / 5), 1e-15);
  EXPECT_EQ(difference.clusters, 5);
}

// Rows repeated within their cluster tell nothing new.
TEST(CompareStatistics, CopiesOfARowAreNoEvidence) {
  std::vector<double> once, often;
  std::vector<int> cluster_once, cluster_often;
  for (int c = 0; c < 8; ++c) {
    const double value = random_normal(3, 0, c);
    once.push_back(value);
    cluster_once.push_back(c);
    for (int copy = 0; copy < 5; ++copy) {
      often.push_back(value);
      cluster_often.push_back(c);
    }
  }
  const Difference a = mean_difference(once, std::vector<double>(8, 0), cluster_once);
  const Difference b = mean_difference(often, std::vector<double>(40, 0), cluster_often);
  EXPECT_NEAR(a.mean, b.mean, 1e-15);
  EXPECT_NEAR(a.standard_error, b.standard_error, 1e-15);
}

TEST(CompareStatistics, UnpredictedRowsDoNotCount) {
  const double unknown = std::nan("");
  const Difference difference =
      mean_difference({1, unknown, 3, 4}, {0, 0, unknown, 0}, {0, 1, 2, 3});
  EXPECT_EQ(difference.rows, 2);
  EXPECT_DOUBLE_EQ(difference.mean, 2.5);
}

TEST(CompareStatistics, AllowedErrorsFallToTwo) {
  EXPECT_TRUE(std::isinf(allowed_errors(1)));
  EXPECT_NEAR(allowed_errors(2), 12.706, 1e-3);
  EXPECT_NEAR(allowed_errors(7), 2.447, 1e-3);
  EXPECT_NEAR(allowed_errors(31), 2.042, 0.01);  // Student's 97.5 % point for 30 degrees
  EXPECT_EQ(allowed_errors(1000), 2);
  for (int c = 2; c < 100; ++c) EXPECT_LE(allowed_errors(c + 1), allowed_errors(c)) << c;
}

// Two predictors of equal merit, their errors correlated within clusters and skewed as squares are:
// of many held-out sets, the share in which the difference exceeds its allowance must be near 5 %.
// Skewed differences of unequal clusters make it a little more or less than Student's 5 %; a
// standard error that ignored clusters would be wrong in most (checked below).
TEST(CompareStatistics, EqualLawsAreCalledDifferentRarely) {
  constexpr int draws = 2000;
  for (const int clusters : {4, 7, 12, 40}) {
    int told = 0, told_by_rows = 0;
    for (int draw = 0; draw < draws; ++draw) {
      std::vector<double> a, b;
      std::vector<int> cluster, each_row;
      uint64_t next = 0;
      const auto normal = [&] { return random_normal(clusters, draw, next++); };
      for (int c = 0; c < clusters; ++c) {
        const double of_cluster = 2 * normal(), of_a = normal(), of_b = normal();
        for (int i = 0; i < 1 + c % 4; ++i) {
          const double noise = 0.3 * normal();
          a.push_back(std::pow(of_cluster + of_a + noise, 2));
          b.push_back(std::pow(of_cluster + of_b + noise, 2));
          cluster.push_back(c);
          each_row.push_back(static_cast<int>(each_row.size()));
        }
      }
      const auto differs = [](const Difference& d) {
        return std::fabs(d.mean) > allowed_errors(d.clusters) * d.standard_error;
      };
      told += differs(mean_difference(a, b, cluster));
      told_by_rows += differs(mean_difference(a, b, each_row));
    }
    const double share = static_cast<double>(told) / draws;
    RecordProperty(std::to_string(clusters), std::to_string(share));
    EXPECT_LT(share, 0.08) << clusters;
    EXPECT_GT(share, 0.01) << clusters;
    EXPECT_GT(static_cast<double>(told_by_rows) / draws, 2 * share) << clusters;
  }
}

TEST(CompareStatistics, TiesAndOneCluster) {
  EXPECT_TRUE(is_tie({.mean = 1, .standard_error = 0.6, .rows = 50, .clusters = 50}, 1));
  EXPECT_FALSE(is_tie({.mean = 1, .standard_error = 0.4, .rows = 50, .clusters = 50}, 1));
  EXPECT_TRUE(is_tie({.mean = 1, .standard_error = 0.4, .rows = 5, .clusters = 2}, 1));
  EXPECT_TRUE(is_tie({.mean = 100, .standard_error = std::nan(""), .rows = 9, .clusters = 1}, 1));
}

}  // namespace
}  // namespace bitlaw
