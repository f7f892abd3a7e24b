// Products in double whose bits depend on nothing but their operands: every entry of C is one chain
// of fused multiply-adds over the summed index, ascending, that starts from the entry's old value.
// Width of vectors, blocking, threads and machine leave it as it is.
//
// Measured beside the machine's peak by `bench/run gptq`.
#pragma once

#include "base/parallel.h"
#include "linalg/kernel.h"
#include "linalg/matrix.h"

namespace bitlaw::linalg {

// The product on the calling thread.
void add_product(const Product<double>& product, const Kernel& kernel = linalg::kernel());
void add_product(const Product<float>& product, const Kernel& kernel = linalg::kernel());

// Upper triangle of H += X^T X for inputs X [rows, H.columns()], row-major: what a Hessian is summed
// from. Products of floats are exact in double, so that an entry is a sum of doubles in the order
// of the rows; calls that add one set of rows after the other give the bits of a single call. Below
// the diagonal H holds anything until mirror().
void add_gram(const float* inputs, int64_t rows, Matrix& H, ThreadPool& pool,
              const Kernel& kernel = linalg::kernel());
// Rows [begin, end) of the same on the calling thread.
void add_gram(const float* inputs, int64_t rows, int64_t begin, int64_t end, Matrix& H,
              const Kernel& kernel = linalg::kernel());

// Copies what is above the diagonal to below it.
void mirror(Matrix& H);

}  // namespace bitlaw::linalg
