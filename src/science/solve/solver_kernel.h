// The sums over rows that a least-squares step needs, eight rows at a time. The same code is
// compiled for plain, AVX2 and AVX-512; nothing is fused or reordered, so all give the same bits.
//
//   rho(r) = r^2 / 2                    for |r| <= delta     psi = rho'     (Huber)
//          = delta (|r| - delta / 2)    beyond
#pragma once

#include <cstddef>

#include "base/isa.h"

namespace bitlaw {

// Weights of the rows, and the threshold beyond which rho is linear.
struct RowTerms {
  long rows = 0;
  const double* weights = nullptr;     // w, one per row; null = 1
  const double* thresholds = nullptr;  // delta, one per row; null = the same for all
  double threshold = 0;                // delta of all rows; may be infinite
};

// J: column-major, entry (i, j) at jacobian[j * stride + i], stride >= rows.
struct SolverKernel {
  // Number of scratch doubles that normal_equations needs for this many columns.
  static size_t scratch_size(int columns);

  // sum_i w_i rho(r_i)
  double (*objective)(const RowTerms& terms, const double* r);

  // The objective, its gradient J' (w psi(r)) and J' C J with c_i = w_i within delta and w_i
  // outside delta / |r_i| beyond: outside = 1 is the usual reweighting, a quadratic that touches
  // the objective and lies above it; 0 gives the second derivative of a linear model.
  // gradient: columns; hessian: columns x columns, both triangles, or null.
  double (*normal_equations)(const RowTerms& terms, const double* r, const double* jacobian,
                             long stride, int columns, double outside, double* scratch,
                             double* gradient, double* hessian);

  // out = r + J s
  void (*move)(long rows, const double* r, const double* jacobian, long stride, int columns,
               const double* s, double* out);
};

const SolverKernel& solver_kernel();         // the best that this machine (or BITLAW_ISA) has
const SolverKernel& solver_kernel(Isa isa);  // isa: at most best_isa()

extern const SolverKernel kSolverKernelPlain, kSolverKernelAvx2, kSolverKernelAvx512;

}  // namespace bitlaw
