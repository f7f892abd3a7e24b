#include "fit/shared_share.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace bitlaw {
namespace {

constexpr int kClusters = 8, kEach = 5;

std::vector<int> clusters() {
  std::vector<int> out;
  for (int i = 0; i < kClusters * kEach; ++i) out.push_back(i / kEach);
  return out;
}

Vector errors(double rho, uint64_t seed) {
  Vector out(kClusters * kEach);
  for (long i = 0; i < out.size(); ++i) {
    out[i] = std::sqrt(rho) * random_normal(seed, 1, static_cast<uint64_t>(i / kEach)) +
             std::sqrt(1 - rho) * random_normal(seed, 2, static_cast<uint64_t>(i));
  }
  return out;
}

TEST(SharedShare, SharesAreThoseOfTheErrors) {
  double mean = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) mean += shared_share(errors(0.6, seed), clusters());
  EXPECT_NEAR(mean / 200, 0.6, 0.06);  // a ratio of few clusters is biased a little
  std::vector<int> alone;
  for (int i = 0; i < kClusters * kEach; ++i) alone.push_back(i);
  EXPECT_EQ(shared_share(errors(0.6, 1), alone), 0);
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
    squares += std::pow(errors(0.6, seed).mean(), 2) / kDraws;
  EXPECT_NEAR(squares * independent_rows(clusters(), 0.6), 1, 0.1);
}

}  // namespace
}  // namespace bitlaw
