// The basis in which a rotated cell is rounded: W -> W R, x -> R^T x, so that W x stays what it is. R
// is block-diagonal, each block a Hadamard matrix (Sylvester's, entries +-1) over the square root of
// its width b, the largest power of two that divides the number of inputs. R is symmetric and its
// own inverse.
//
// An input that stands out is spread over the b inputs of its block, and the weights of a block come
// out nearly normal (QuIP#, Tseng et al., 2024; QuaRot, Ashkboos et al., 2024). b = 1 where the
// number of inputs is odd: nothing is rotated then.
//
// Sums and differences run in double, in the order of the fast transform.
#pragma once

#include <cstdint>

#include "base/parallel.h"
#include "linalg/matrix.h"

namespace bitlaw {

int64_t rotation_width(int64_t columns);  // b

// out = in R, both [rows, columns] FP32, which may be the same. Without rounding to FP32 every entry
// is within (log2 b + 3) 2^-53 |in| |R| of the exact one.
void rotate_rows(const float* in, int64_t rows, int64_t columns, int64_t width, float* out);

// R^T H R of a symmetric H [columns, columns].
linalg::Matrix rotate_hessian(const linalg::Matrix& hessian, int64_t width, ThreadPool& pool);

}  // namespace bitlaw
