#include "fit/shared_share.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fit/clustered_errors_for_tests.h"

namespace bitlaw {
namespace {

TEST(SharedShare, SharesAreThoseOfTheErrors) {
  double mean = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed)
    mean += shared_share(clustered_errors(0.6, seed), clusters());
  EXPECT_NEAR(mean / 200, 0.6, 0.06);  // a ratio of few clusters is biased a little
  std::vector<int> alone;
  for (int i = 0; i < kClusters * kEach; ++i) alone.push_back(i);
  EXPECT_EQ(shared_share(clustered_errors(0.6, 1), alone), 0);
}

TEST(SharedShare, RowsCountBetweenTheClustersAndAllOfThem) {
  EXPECT_DOUBLE_EQ(independent_rows(clusters(), 0), kClusters * kEach);
  EXPECT_DOUBLE_EQ(independent_rows(clusters(), 1), kClusters);
  EXPECT_DOUBLE_EQ(independent_rows({0, 1, 1}, 0.5), 1 + 2 / 1.5);
}

// The variance of the mean of such errors, over 4000 draws known to 2 %.
TEST(SharedShare, AMeanIsKnownAsWellAsFromSoManyIndependentRows) {
  double squares = 0;
  constexpr int kDraws = 4000;
  for (uint64_t seed = 1; seed <= kDraws; ++seed)
    squares += std::pow(clustered_errors(0.6, seed).mean(), 2) / kDraws;
  EXPECT_NEAR(squares * independent_rows(clusters(), 0.6), 1, 0.1);
}

}  // namespace
}  // namespace bitlaw
