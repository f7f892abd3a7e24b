// Products in double whose bits depend only on their operands: every entry of C is one chain of
// fused multiply-adds over the summed index, ascending, starting from the entry's old value. Vector
// width, blocking, threads and machine do not change it.
//
// `bench/run gptq` measures them against the machine's peak.
#pragma once

#include "base/parallel.h"
#include "linalg/kernel.h"
#include "linalg/matrix.h"

namespace bitlaw::linalg {

// The product on the calling thread.
void add_product(const Product<double>& product, const Kernel& kernel = linalg::kernel());
void add_product(const Product<float>& product, const Kernel& kernel = linalg::kernel());

// Upper triangle of H += X^T X for inputs X [rows, H.columns()], row-major; H is [columns,
// columns]. Products of floats are exact in double, so an entry is a sum of doubles in the order of
// the rows, and adding rows in several calls gives the bits of a single call. Below the diagonal H
// is undefined until mirror().
void add_gram(const float* inputs, int64_t rows, Matrix& H, ThreadPool& pool,
              const Kernel& kernel = linalg::kernel());
// Rows [begin, end) of H, on the calling thread.
void add_gram(const float* inputs, int64_t rows, int64_t begin, int64_t end, Matrix& H,
              const Kernel& kernel = linalg::kernel());

// Copies the upper triangle to the lower one.
void mirror(Matrix& H);

}  // namespace bitlaw::linalg
