// The innermost loops of linalg, compiled for plain, AVX2 and AVX-512, with the same bits: every
// result is one chain of fused multiply-adds in ascending order of the summed index, and lanes of a
// vector never add to each other.
#pragma once

#include <cstdint>

#include "base/isa.h"

namespace bitlaw::linalg {

// C += sign A B, or a block of it: c[i, j] = fma(sign a[i, p], b[p, j], c[i, j]) for p = 0, 1, ...
template <class T>  // double or float, which is widened
struct Product {
  int64_t rows, columns, depth;  // of C: rows x columns; p < depth
  double sign;                   // 1 or -1
  const T* a;                    // a[i, p] = a[i * a_row + p * a_column]
  int64_t a_row, a_column;
  const T* b;  // b[p, j] = b[p * b_row + j]
  int64_t b_row;
  double* c;  // c[i, j] = c[i * c_row + j]
  int64_t c_row;
};

struct Kernel {
  int tile_rows, tile_columns;  // of C, held in registers; multiples of them are fastest
  int64_t scratch_doubles;      // scratch that the products need, 64-byte aligned
  void (*product)(const Product<double>&, double* scratch);
  void (*product_of_floats)(const Product<float>&, double* scratch);
  void (*axpy)(int64_t n, double a, const double* x, double* y);  // y[i] = fma(a, x[i], y[i])
};

const Kernel& kernel();         // the best that this machine (or BITLAW_ISA) has
const Kernel& kernel(Isa isa);  // isa: at most best_isa()

extern const Kernel kKernelPlain, kKernelAvx2, kKernelAvx512;

}  // namespace bitlaw::linalg
