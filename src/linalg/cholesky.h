// A = U^T U with U upper triangular, and what is solved with it. As in product.h the bits follow
// from the operands alone: an entry is one chain of fused multiply-adds over ascending indices, then
// one division or square root.
#pragma once

#include "linalg/product.h"

namespace bitlaw::linalg {

// Replaces the upper triangle of A [n, n], symmetric, by U; the lower one is neither read nor
// meaningful afterwards. False, with A spoilt, where a pivot is not positive or not finite.
bool factor_cholesky(Matrix& A, ThreadPool& pool, const Kernel& kernel = linalg::kernel());

// X = U^-T X in place, on the calling thread, by forward substitution: U [n, n] upper triangular
// with rows `u_row` apart, X [n, columns] with rows `x_row` apart.
void solve_transposed(int64_t n, const double* u, int64_t u_row, int64_t columns, double* x,
                      int64_t x_row, const Kernel& kernel = linalg::kernel());

}  // namespace bitlaw::linalg
