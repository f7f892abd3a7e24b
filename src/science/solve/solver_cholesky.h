// A = L D L' for the small matrices of a least-squares step, in place and without allocation; L has
// a unit diagonal.
#pragma once

#include <Eigen/Core>
#include <algorithm>

namespace bitlaw {

// a' b, with several partial sums if that pays off.
inline double dot(int n, const double* a, const double* b) {
  constexpr int kShort = 16;
  if (n >= kShort) {
    return Eigen::Map<const Eigen::VectorXd>(a, n).dot(Eigen::Map<const Eigen::VectorXd>(b, n));
  }
  double sum = 0;
  for (int k = 0; k < n; ++k) sum += a[k] * b[k];
  return sum;
}

// a: n x n, by rows or columns, symmetric. Below the diagonal (a[i * n + j], j < i) it becomes L,
// on it the inverse of D. False if it is not positive definite to working precision, independent of
// the scale of its columns. first[i] <= i: entries of row i before it are zero and stay zero; null
// = unknown.
inline bool factorise(int n, double* a, const int* first) {
  for (int i = 0; i < n; ++i) {
    double* row = a + i * n;
    const int begin = first ? first[i] : 0;
    // Row i of L D first, which is what the elimination gives.
    for (int j = begin; j < i; ++j) {
      const int from = first ? std::max(begin, first[j]) : 0;
      if (from < j) row[j] -= dot(j - from, row + from, a + j * n + from);
    }
    const double whole = row[i];
    double pivot = whole;
    for (int j = begin; j < i; ++j) {
      const double scaled = row[j] * a[j * n + j];
      pivot -= row[j] * scaled;
      row[j] = scaled;
    }
    constexpr double kRounding = 1e-15;
    if (!(pivot > kRounding * whole)) return false;
    row[i] = 1 / pivot;
  }
  return true;
}

// x = L^-1 x
inline void solve_lower(int n, const double* factor, const int* first, double* x) {
  for (int i = 0; i < n; ++i) {
    const int begin = first ? first[i] : 0;
    if (begin < i) x[i] -= dot(i - begin, factor + i * n + begin, x + begin);
  }
}

// x = A^-1 x
inline void solve(int n, const double* factor, const int* first, double* x) {
  solve_lower(n, factor, first, x);
  for (int i = 0; i < n; ++i) x[i] *= factor[i * n + i];
  for (int i = n - 1; i >= 0; --i) {
    const double* row = factor + i * n;
    for (int k = first ? first[i] : 0; k < i; ++k) x[k] -= row[k] * x[i];
  }
}

// x' A^-1 x; x is overwritten.
inline double inverse_square(int n, const double* factor, const int* first, double* x) {
  solve_lower(n, factor, first, x);
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += x[i] * x[i] * factor[i * n + i];
  return sum;
}

}  // namespace bitlaw
