#include "design/clustered.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "base/random.h"

namespace bitlaw {
namespace {

constexpr int kClusters = 8, kEach = 5;

Matrix rows() {
  Matrix out(kClusters * kEach, 3);
  for (long i = 0; i < out.rows(); ++i) {
    // A constant, one column that differs between clusters, one within them.
    out.row(i) << 1, static_cast<double>(i / kEach) - 3.5, static_cast<double>(i % kEach) - 2;
  }
  return out;
}

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

TEST(Clustered, IndependentRowsAddUp) {
  const Matrix j = rows();
  EXPECT_LT((clustered_information(j, clusters(), 0) - j.transpose() * j).norm(), 1e-12);
}

// The variances of least-squares estimates over 2000 draws of such errors, known to 3 %.
TEST(Clustered, InformationIsThatOfTheEstimates) {
  const Matrix j = rows();
  const Matrix covariance = clustered_information(j, clusters(), 0.6).inverse();
  const Matrix solve = (j.transpose() * j).inverse() * j.transpose();
  Vector squares = Vector::Zero(3);
  constexpr int kDraws = 2000;
  for (uint64_t seed = 1; seed <= kDraws; ++seed)
    squares += (solve * errors(0.6, seed)).cwiseAbs2() / kDraws;
  for (int k = 0; k < 3; ++k) EXPECT_NEAR(squares[k] / covariance(k, k), 1, 0.12) << k;
}

}  // namespace
}  // namespace bitlaw
