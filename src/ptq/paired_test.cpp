#include "ptq/paired.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace bitlaw {
namespace {

TEST(PairedDifference, WithClustersOfOneTokenIsTheUsualStandardError) {
  const std::vector<float> losses{3, 1, 4, 1.5, 5},
      baseline{1, 1, 2, 1, 7};  // differences 2 0 2 .5 -2
  const PairedDifference paired =
      paired_difference(losses, baseline, std::vector<int64_t>{0, 1, 2, 3, 4});
  EXPECT_EQ(paired.mean, 0.5);
  EXPECT_EQ(paired.tokens, 5);
  EXPECT_EQ(paired.clusters, 5);
  EXPECT_EQ(paired.losses_mean, 2.9);
  EXPECT_EQ(paired.baseline_mean, 2.4);
  const double squares = 2.25 + 0.25 + 2.25 + 0 + 6.25;
  EXPECT_DOUBLE_EQ(paired.standard_error, std::sqrt(squares / 4 / 5));
}

TEST(PairedDifference, EqualModelsDifferByNothing) {
  const std::vector<float> losses{3, 1, 4, 1.5, 5, 9};
  const PairedDifference paired = paired_difference(losses, losses, std::vector<int64_t>{0, 0, 1});
  EXPECT_EQ(paired.mean, 0);
  EXPECT_EQ(paired.standard_error, 0);
  EXPECT_EQ(paired.clusters, 2);
}

TEST(PairedDifference, OneClusterHasNoStandardError) {
  const std::vector<float> losses{3, 1}, baseline{1, 1};
  EXPECT_TRUE(
      std::isnan(paired_difference(losses, baseline, std::vector<int64_t>{4}).standard_error));
}

// Differences of tokens = 0.1 + what their document has in common + noise of their own.
TEST(PairedDifference, StandardErrorIsTheSpreadOfTheMeanUnderCorrelation) {
  constexpr int kStudies = 2000, kDocuments = 60;
  constexpr size_t kTokens = 8;  // of a window
  double sum = 0, squares = 0, claimed = 0, claimed_without_clusters = 0;
  for (int study = 0; study < kStudies; ++study) {
    std::vector<float> losses, baseline;
    std::vector<int64_t> cluster, window;
    uint64_t draw = 0;
    const auto seed = static_cast<uint64_t>(study);
    for (int document = 0; document < kDocuments; ++document) {
      const double common = 0.3 * random_normal(seed, 1, static_cast<uint64_t>(document));
      const uint64_t windows = 1 + random_below(seed, 2, static_cast<uint64_t>(document), 4);
      for (uint64_t w = 0; w < windows; ++w) {
        cluster.push_back(document);
        window.push_back(static_cast<int64_t>(window.size()));
        for (size_t t = 0; t < kTokens; ++t, ++draw) {
          baseline.push_back(static_cast<float>(3 + random_normal(seed, 3, draw)));
          losses.push_back(baseline.back() +
                           static_cast<float>(0.1 + common + 0.3 * random_normal(seed, 4, draw)));
        }
      }
    }
    const PairedDifference paired = paired_difference(losses, baseline, cluster);
    sum += paired.mean - 0.1;
    squares += (paired.mean - 0.1) * (paired.mean - 0.1);
    claimed += paired.standard_error * paired.standard_error;
    const double naive = paired_difference(losses, baseline, window).standard_error;
    claimed_without_clusters += naive * naive;
  }
  const double variance = squares / kStudies;
  EXPECT_LT(std::fabs(sum / kStudies), 5 * std::sqrt(variance / kStudies));
  // The variance over S studies is itself known to sqrt(2 / S) = 3.2 %: five of those, and 1/60 of
  // bias of the linearisation.
  EXPECT_NEAR(claimed / kStudies / variance, 1, 5 * std::sqrt(2.0 / kStudies) + 1.0 / kDocuments);
  EXPECT_LT(claimed_without_clusters / kStudies / variance,
            0.6);  // documents of 2.5 windows on average
}

}  // namespace
}  // namespace bitlaw
