// Weights and Hessians in the basis of formats/rotation.h, in which a rotated cell is rounded. The
// blocks of R are as wide as the number of inputs allows. Sums and differences are in double.
#pragma once

#include <cstdint>

#include "base/parallel.h"
#include "formats/rotation.h"
#include "linalg/matrix.h"

namespace bitlaw {

// out = in R, both [rows, columns] FP32; they may be the same memory. Before rounding to FP32 every
// entry is within (log2 b + 3) 2^-53 |in| |R| of the exact one.
void rotate_rows(const float* in, int64_t rows, int64_t columns, int64_t width, float* out);

// R^T H R of a symmetric H [columns, columns].
linalg::Matrix rotate_hessian(const linalg::Matrix& hessian, int64_t width, ThreadPool& pool);

}  // namespace bitlaw
