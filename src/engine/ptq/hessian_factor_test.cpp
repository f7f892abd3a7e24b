#include "ptq/hessian_factor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "ptq/matrices_for_tests.h"

namespace bitlaw {
namespace {

linalg::Matrix constant_beside_ones(int64_t n, double value) {
  linalg::Matrix out(n, n);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) out(i, j) = i == j ? 1 : value;
  }
  return out;
}

// R = S diag(R_kk), so that S^-1 H S^-T is diagonal: checked as H = S D S^T, D from its last column.
TEST(HessianFactor, IsTheUnitTriangleOfTheDampedHessian) {
  ThreadPool pool(2);
  for (const int64_t n : {1, 2, 63, 64, 65, 130, 200}) {
    const linalg::Matrix H = damped(random_hessian(n, 31), 0.01);
    const linalg::Matrix S = factor_hessian(random_hessian(n, 31), 0.01, pool).feedback;
    // D from the bottom up: H_kk = sum_{j>=k} S_kj^2 D_j.
    std::vector<double> D(static_cast<size_t>(n));
    for (int64_t k = n - 1; k >= 0; --k) {
      double rest = H(k, k);
      for (int64_t j = k + 1; j < n; ++j) rest -= S(k, j) * S(k, j) * D[static_cast<size_t>(j)];
      D[static_cast<size_t>(k)] = rest;
    }
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t k = 0; k < n; ++k) {
        if (k < i) {
          ASSERT_EQ(S(i, k), 0);
          continue;
        }
        ASSERT_TRUE(k != i || S(i, k) == 1);
        double sum = 0;
        for (int64_t j = k; j < n; ++j) sum += S(i, j) * D[static_cast<size_t>(j)] * S(k, j);
        // The error of a Cholesky factorisation, with the pivots as large as the diagonal at most:
        // gamma_(n+1) sqrt(H_ii H_kk) (Higham, theorem 10.3 and after), once for the factor and once
        // for D and this sum.
        const double bound =
            4 * static_cast<double>(n + 1) * 0x1p-53 * std::sqrt(H(i, i) * H(k, k));
        ASSERT_NEAR(sum, H(i, k), bound) << n << ": " << i << "," << k;
      }
    }
  }
}

TEST(HessianFactor, DampingClimbsUntilTheCholeskyHolds) {
  ThreadPool pool(2);
  // Diagonal 1, everything else c: eigenvalues 1 - c (many) and 1 + (n-1) c. With c = -0.2 and n =
  // 8 the smallest is -0.4: damping 0.01 and 0.1 leave it negative, 1 makes it 0.6.
  linalg::Matrix indefinite = constant_beside_ones(8, -0.2);
  const HessianFactor factor = factor_hessian(indefinite, 0.01, pool);
  EXPECT_EQ(factor.damping, 1.0);
  EXPECT_EQ(factor.failed_dampings, (std::vector<double>{0.01, 0.1}));

  // One token repeated gives rank one: the first rung holds.
  EXPECT_EQ(factor_hessian(random_hessian(40, 18, 1), 0.01, pool).damping, 0.01);

  EXPECT_THROW(factor_hessian(constant_beside_ones(8, -1e6), 0.01, pool), Error);
  indefinite(2, 3) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(factor_hessian(indefinite, 0.01, pool), Error);
}

TEST(HessianFactor, OfAnOrderIsThatOfThePermutedHessian) {
  ThreadPool pool(2);
  const int64_t n = 90;
  linalg::Matrix H = random_hessian(n, 32);
  // Few binary places, so that the sum of the diagonal is exact in any order.
  for (int64_t i = 0; i < n * n; ++i) H.row(0)[i] = std::round(H.row(0)[i] * 0x1p16) * 0x1p-16;
  for (int64_t i = 0; i < n; ++i) H(i, 7) = H(7, i) = 0;  // a dead column
  const std::vector<int64_t> order = activation_order(H);
  EXPECT_EQ(order.back(), 7);
  linalg::Matrix permuted(n, n);
  for (int64_t i = 0; i < n; ++i) {
    EXPECT_TRUE(i == 0 || H(order[i - 1], order[i - 1]) >= H(order[i], order[i]));
    for (int64_t j = 0; j < n; ++j) permuted(i, j) = H(order[i], order[j]);
  }
  const HessianFactor ordered = factor_hessian(H, 0.01, pool, order);
  EXPECT_EQ(ordered.dead_columns, 1);
  EXPECT_EQ(ordered.order, order);
  EXPECT_EQ(ordered.feedback, factor_hessian(permuted, 0.01, pool).feedback);
}

TEST(HessianFactor, ThreadsDoNotChangeABit) {
  ThreadPool one(1), three(3);
  const linalg::Matrix H = random_hessian(260, 33);
  EXPECT_EQ(factor_hessian(H, 0.01, one).feedback, factor_hessian(H, 0.01, three).feedback);
}

}  // namespace
}  // namespace bitlaw
