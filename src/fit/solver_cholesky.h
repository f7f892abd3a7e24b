// A = L L' for the small matrices of a least-squares step, in place and without memory of its own.
#pragma once

#include <cmath>

namespace bitlaw {

// a: n x n, its lower triangle (a[i * n + j], j <= i) becomes L, with the inverse of
// its diagonal in place of the diagonal. The matrix is scaled to a unit
// diagonal on the way, as columns of very different size would hide whether it is definite. False
// where it is not positive definite to working precision. scale: n numbers, out.
inline bool factorise(int n, double* a, double* scale) {
  for (int i = 0; i < n; ++i) {
    if (!(a[i * n + i] > 0)) return false;
    scale[i] = 1 / std::sqrt(a[i * n + i]);
  }
  for (int i = 0; i < n; ++i) {
    double* row = a + i * n;
    for (int j = 0; j <= i; ++j) {
      const double* other = a + j * n;
      double sum = row[j] * scale[i] * scale[j];
      for (int k = 0; k < j; ++k) sum -= row[k] * other[k];
      if (j < i) {
        row[j] = sum * other[j];
      } else {
        constexpr double kRounding = 1e-15;
        if (!(sum > kRounding)) return false;
        row[i] = 1 / std::sqrt(sum);
      }
    }
  }
  return true;
}

// x = L^-1 S x and x = S L^-T x, S the scaling to a unit diagonal: |L^-1 S x|^2 = x' A^-1 x.
inline void solve_lower(int n, const double* factor, const double* scale, double* x) {
  for (int i = 0; i < n; ++i) {
    double sum = x[i] * scale[i];
    for (int k = 0; k < i; ++k) sum -= factor[i * n + k] * x[k];
    x[i] = sum * factor[i * n + i];
  }
}
inline void solve_upper(int n, const double* factor, const double* scale, double* x) {
  for (int i = n - 1; i >= 0; --i) {
    double sum = x[i];
    for (int k = i + 1; k < n; ++k) sum -= factor[k * n + i] * x[k];
    x[i] = sum * factor[i * n + i];
  }
  for (int i = 0; i < n; ++i) x[i] *= scale[i];
}

// x = A^-1 x
inline void solve(int n, const double* factor, const double* scale, double* x) {
  solve_lower(n, factor, scale, x);
  solve_upper(n, factor, scale, x);
}

}  // namespace bitlaw
