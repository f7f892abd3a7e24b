#include "linalg/cholesky.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "linalg/isas_for_tests.h"

namespace bitlaw::linalg {
namespace {

constexpr double kUnitRoundoff = 0x1p-53;

// gamma_n of error analysis (Higham, Accuracy and Stability of Numerical Algorithms, ch. 3).
double gamma(int64_t n) {
  const double nu = static_cast<double>(n) * kUnitRoundoff;
  return nu / (1 - nu);
}

// X^T X of a few more rows than columns, with columns of unequal size.
Matrix positive_matrix(int64_t n, uint64_t seed) {
  ThreadPool pool(1);
  const int64_t rows = n + 3;
  std::vector<float> x(static_cast<size_t>(rows * n));
  for (int64_t t = 0; t < rows; ++t) {
    for (int64_t c = 0; c < n; ++c) {
      const auto at = static_cast<size_t>(t * n + c);
      x[at] =
          static_cast<float>(random_normal(seed, 1, at) * std::exp2(static_cast<double>(c % 9)));
    }
  }
  Matrix H(n, n);
  add_gram(x.data(), rows, H, pool);
  mirror(H);
  return H;
}

// Entry by entry, each one chain: the definition.
Matrix factor_entry_by_entry(const Matrix& A) {
  const int64_t n = A.columns();
  Matrix U(n, n);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i; j < n; ++j) {
      double sum = A(i, j);
      for (int64_t k = 0; k < i; ++k) sum = std::fma(-U(k, i), U(k, j), sum);
      U(i, j) = j == i ? std::sqrt(sum) : sum / U(i, i);
    }
  }
  return U;
}

void clear_below(Matrix& A) {
  for (int64_t i = 0; i < A.rows(); ++i) std::fill_n(A.row(i), i, 0.0);
}

// Below, at and beyond what is solved row by row (16), a panel (128) and a task (48 columns).
const std::vector<int64_t> kSizes{1, 2, 15, 16, 33, 128, 129, 300};

TEST(Cholesky, IsTheDefinitionBitForBit) {
  ThreadPool one(1), three(3);
  for (const int64_t n : kSizes) {
    const Matrix A = positive_matrix(n, 1), expected = factor_entry_by_entry(A);
    for (const Isa isa : isas()) {
      for (ThreadPool* pool : {&one, &three}) {
        Matrix U = A;
        ASSERT_TRUE(factor_cholesky(U, *pool, kernel(isa)));
        clear_below(U);
        EXPECT_EQ(U, expected) << name_of(isa) << " " << n << " threads " << pool->threads();
      }
    }
  }
}

// |A - U^T U| <= gamma_(n+1) |U^T| |U| (Higham, theorem 10.3), every entry.
TEST(Cholesky, ProductOfTheFactorsIsTheMatrix) {
  ThreadPool pool(2);
  for (const int64_t n : kSizes) {
    const Matrix A = positive_matrix(n, 2);
    Matrix U = A;
    ASSERT_TRUE(factor_cholesky(U, pool));
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = i; j < n; ++j) {
        long double sum = 0, magnitude = 0;
        for (int64_t k = 0; k <= i; ++k) {
          const long double term = static_cast<long double>(U(k, i)) * U(k, j);
          sum += term;
          magnitude += std::fabs(term);
        }
        ASSERT_LE(std::fabs(A(i, j) - sum), gamma(n + 1) * magnitude) << n << ": " << i << "," << j;
      }
    }
  }
}

TEST(Cholesky, SaysWhenAPivotIsNotPositive) {
  ThreadPool pool(2);
  for (const int64_t at : {0, 5, 140}) {
    for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity()}) {
      Matrix A(150, 150);
      for (int64_t i = 0; i < 150; ++i) A(i, i) = 2;
      EXPECT_TRUE(factor_cholesky(A, pool));
      for (int64_t i = 0; i < 150; ++i) A(i, i) = 2;
      A(at, at) = bad;
      EXPECT_FALSE(factor_cholesky(A, pool)) << at << " " << bad;
    }
  }
  // Nothing wrong to be seen on the diagonal: 1 2 / 2 1.
  Matrix indefinite(2, 2);
  indefinite(0, 0) = indefinite(1, 1) = 1;
  indefinite(0, 1) = indefinite(1, 0) = 2;
  EXPECT_FALSE(factor_cholesky(indefinite, pool));
}

// |U^T x - b| <= gamma_n |U^T| |x| (Higham, theorem 8.5), every entry; and the same bits everywhere.
TEST(SolveTransposed, SolvesWithinTheRoundingOfItsSums) {
  ThreadPool pool(2);
  for (const int64_t n : kSizes) {
    Matrix U = positive_matrix(n, 3);
    ASSERT_TRUE(factor_cholesky(U, pool));
    const Matrix b = random_matrix(n, 29, 4);
    Matrix first;
    for (const Isa isa : isas()) {
      Matrix x = b;
      solve_transposed(n, U.row(0), n, 29, x.row(0), 29, kernel(isa));
      if (first.rows() == 0) first = x;
      EXPECT_EQ(x, first) << name_of(isa) << " " << n;
    }
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < 29; ++j) {
        long double sum = 0, magnitude = 0;
        for (int64_t k = 0; k <= i; ++k) {
          const long double term = static_cast<long double>(U(k, i)) * first(k, j);
          sum += term;
          magnitude += std::fabs(term);
        }
        ASSERT_LE(std::fabs(b(i, j) - sum), gamma(n) * magnitude) << n << ": " << i << "," << j;
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw::linalg
