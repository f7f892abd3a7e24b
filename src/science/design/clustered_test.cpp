#include "design/clustered.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "fit/clustered_errors_for_tests.h"

namespace bitlaw {
namespace {

Matrix rows() {
  Matrix out(kClusters * kEach, 3);
  for (long i = 0; i < out.rows(); ++i) {
    // A constant, one column that differs between clusters, one within them.
    out.row(i) << 1, static_cast<double>(i / kEach) - 3.5, static_cast<double>(i % kEach) - 2;
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
    squares += (solve * clustered_errors(0.6, seed)).cwiseAbs2() / kDraws;
  for (int k = 0; k < 3; ++k) EXPECT_NEAR(squares[k] / covariance(k, k), 1, 0.12) << k;
}

}  // namespace
}  // namespace bitlaw
