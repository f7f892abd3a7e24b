// The sparse sums against the dense ones, and what is not sparse enough.
#include "solve/solver_sparse.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace bitlaw {
namespace {

constexpr long kRows = 90, kStride = 96;
constexpr int kColumns = 32;

// Two columns for all rows, and one more for each of thirty classes of three rows.
std::vector<double> jacobian_by_class() {
  std::vector<double> out(kStride * kColumns, 0);
  for (long i = 0; i < kRows; ++i) {
    for (const long j : {0L, 1L, 2 + i % 30}) {
      out[static_cast<size_t>(j * kStride + i)] =
          random_normal(2, static_cast<uint64_t>(j), static_cast<uint64_t>(i));
    }
  }
  return out;
}

TEST(SolverSparse, AgreesWithTheDenseSums) {
  const std::vector<double> jacobian = jacobian_by_class();
  std::vector<double> r, weights, thresholds;
  for (uint64_t i = 0; i < kRows; ++i) {
    r.push_back(random_normal(2, 100, i));
    weights.push_back(random_uniform(2, 101, i));
    thresholds.push_back(random_uniform(2, 102, i));
  }
  RowTerms terms{.rows = kRows, .threshold = 0.5};
  SparseRows sparse;
  ASSERT_TRUE(sparse.build(kRows, jacobian.data(), kStride, kColumns));
  for (const bool by_row : {false, true}) {
    terms.weights = by_row ? weights.data() : nullptr;
    terms.thresholds = by_row ? thresholds.data() : nullptr;
    std::vector<double> scratch(SolverKernel::scratch_size(kColumns));
    std::vector<double> gradient(kColumns), expected_gradient(kColumns);
    std::vector<double> hessian(kColumns * kColumns), expected_hessian(kColumns * kColumns);
    const double objective =
        sparse.normal_equations(terms, r.data(), 0.3, gradient.data(), hessian.data());
    const double expected = solver_kernel().normal_equations(
        terms, r.data(), jacobian.data(), kStride, kColumns, 0.3, scratch.data(),
        expected_gradient.data(), expected_hessian.data());
    // Sums of at most 90 terms of size about one, in another order.
    constexpr double kUnit = 90 * 96 * 0x1p-53;
    EXPECT_NEAR(objective, expected, kUnit);
    for (size_t j = 0; j < gradient.size(); ++j) {
      EXPECT_NEAR(gradient[j], expected_gradient[j], kUnit);
    }
    for (size_t j = 0; j < hessian.size(); ++j) {
      EXPECT_NEAR(hessian[j], expected_hessian[j], 4 * kUnit);
    }
  }
}

TEST(SolverSparse, LeavesDenseTablesAlone) {
  const std::vector<double> full(kStride * kColumns, 1);
  SparseRows sparse;
  EXPECT_FALSE(sparse.build(kRows, full.data(), kStride, kColumns));
}

}  // namespace
}  // namespace bitlaw
