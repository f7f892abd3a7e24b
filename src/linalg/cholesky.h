// Cholesky factorisation A = U^T U with U upper triangular, and triangular solves with it. As in
// product.h, the bits depend only on the operands: an entry is one chain of fused multiply-adds
// over ascending indices, then one division or square root.
#pragma once

#include "linalg/product.h"

namespace bitlaw::linalg {

// Replaces the upper triangle of a symmetric A [n, n] by U. The lower triangle is not read, and is
// undefined afterwards. Returns false, with A undefined, if a pivot is not positive or not finite.
bool factor_cholesky(Matrix& A, ThreadPool& pool, const Kernel& kernel = linalg::kernel());

// X = U^-T X in place, on the calling thread, by forward substitution. U [n, n] is upper triangular
// with row stride `u_row`, X is [n, columns] with row stride `x_row`.
void solve_transposed(int64_t n, const double* u, int64_t u_row, int64_t columns, double* x,
                      int64_t x_row, const Kernel& kernel = linalg::kernel());

}  // namespace bitlaw::linalg
