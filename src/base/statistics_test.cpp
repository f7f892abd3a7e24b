#include "base/statistics.h"

#include <gtest/gtest.h>

#include <vector>

namespace bitlaw {
namespace {

TEST(Statistics, PercentilesLieBetweenNeighbours) {
  const std::vector<double> sorted{1, 2, 4, 8};
  EXPECT_EQ(percentile(sorted, 0), 1);
  EXPECT_EQ(percentile(sorted, 1), 8);
  EXPECT_EQ(percentile(sorted, 0.5), 3);
  EXPECT_DOUBLE_EQ(percentile(sorted, 0.1), 1.3);
  EXPECT_EQ(percentile(std::vector<double>{5}, 0.9), 5);
}

TEST(Statistics, PercentilesOfAnUnsortedSampleAreTheSame) {
  std::vector<double> sorted;
  for (int i = 0; i < 101; ++i) sorted.push_back(i * i);
  for (const double share : {0.0, 0.05, 0.333, 0.5, 0.95, 1.0}) {
    std::vector<double> mixed;
    for (int i = 0; i < 101; ++i) mixed.push_back(sorted[37 * i % 101]);
    EXPECT_EQ(percentile_of(mixed, share), percentile(sorted, share)) << share;
  }
}

TEST(Statistics, MediansOfOddAndEvenSamples) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(upper_median({3, 1, 2}), 2);
  EXPECT_EQ(upper_median({4, 1, 3, 2}), 3);
}

}  // namespace
}  // namespace bitlaw
