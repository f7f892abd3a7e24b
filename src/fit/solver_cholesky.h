// A = L D L' for the small matrices of a least-squares step, in place and without memory of its
// own; L has a unit diagonal.
#pragma once

namespace bitlaw {

// a: n x n, by rows or columns, symmetric. Below the diagonal (a[i * n + j], j < i) it becomes L,
// on it the inverse of D. False where it is not positive definite to working precision, whatever
// the scale of its columns.
inline bool factorise(int n, double* a) {
  for (int i = 0; i < n; ++i) {
    double* row = a + i * n;
    // Row i of L D first, which is what the elimination gives.
    for (int j = 0; j < i; ++j) {
      const double* other = a + j * n;
      double sum = row[j];
      for (int k = 0; k < j; ++k) sum -= row[k] * other[k];
      row[j] = sum;
    }
    double pivot = row[i];
    for (int j = 0; j < i; ++j) {
      const double scaled = row[j] * a[j * n + j];
      pivot -= row[j] * scaled;
      row[j] = scaled;
    }
    constexpr double kRounding = 1e-15;
    if (!(pivot > kRounding * row[i])) return false;
    row[i] = 1 / pivot;
  }
  return true;
}

// x = L^-1 x
inline void solve_lower(int n, const double* factor, double* x) {
  for (int i = 0; i < n; ++i) {
    double sum = x[i];
    for (int k = 0; k < i; ++k) sum -= factor[i * n + k] * x[k];
    x[i] = sum;
  }
}

// x = A^-1 x
inline void solve(int n, const double* factor, double* x) {
  solve_lower(n, factor, x);
  for (int i = 0; i < n; ++i) x[i] *= factor[i * n + i];
  for (int i = n - 1; i >= 0; --i) {
    double sum = x[i];
    for (int k = i + 1; k < n; ++k) sum -= factor[k * n + i] * x[k];
    x[i] = sum;
  }
}

// x' A^-1 x; x is overwritten.
inline double inverse_square(int n, const double* factor, double* x) {
  solve_lower(n, factor, x);
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += x[i] * x[i] * factor[i * n + i];
  return sum;
}

}  // namespace bitlaw
