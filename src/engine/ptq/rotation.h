// The basis in which a rotated cell is rounded: W -> W R, x -> R^T x, which leaves W x unchanged. R
// is block-diagonal. Each block is a Hadamard matrix (Sylvester's, entries +-1) divided by the
// square root of its width b, the largest power of two that divides the number of inputs. R is
// symmetric and its own inverse.
//
// An outlier input is spread over the b inputs of its block, and the weights of a block become
// nearly normal (QuIP#, Tseng et al., 2024; QuaRot, Ashkboos et al., 2024). If the number of inputs
// is odd, b = 1 and nothing is rotated.
//
// Sums and differences are in double, in the order of the fast transform.
#pragma once

#include <cstdint>

#include "base/parallel.h"
#include "linalg/matrix.h"

namespace bitlaw {

int64_t rotation_width(int64_t columns);  // b

// out = in R, both [rows, columns] FP32; they may be the same memory. Before rounding to FP32 every
// entry is within (log2 b + 3) 2^-53 |in| |R| of the exact one.
void rotate_rows(const float* in, int64_t rows, int64_t columns, int64_t width, float* out);

// R^T H R of a symmetric H [columns, columns].
linalg::Matrix rotate_hessian(const linalg::Matrix& hessian, int64_t width, ThreadPool& pool);

}  // namespace bitlaw
