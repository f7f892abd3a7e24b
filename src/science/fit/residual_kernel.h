// From predictions to residuals and their derivatives, several rows at a time; compiled for
// plain, AVX2 and AVX-512, with the same bits.
#pragma once

#include "base/isa.h"

namespace bitlaw {

struct ResidualKernel {
  // r = scale (log(value) - target) if logarithmic is 1, scale (value - target) if it is 0.
  // r: predicted values in, residuals out; slope: d r / d value, or null. All have `rows` entries,
  // a multiple of eight. False if a residual is not finite.
  bool (*link)(long rows, const double* logarithmic, const double* target, const double* scale,
               double* r, double* slope);

  // out = slope (factors[0] columns[0] + factors[1] columns[1] + ...), count >= 0 of them.
  void (*combine)(long rows, const double* slope, int count, const double* factors,
                  const double* const* columns, double* out);
};

const ResidualKernel& residual_kernel();         // the best that this machine (or BITLAW_ISA) has
const ResidualKernel& residual_kernel(Isa isa);  // isa: at most best_isa()

extern const ResidualKernel kResidualKernelPlain, kResidualKernelAvx2, kResidualKernelAvx512;

}  // namespace bitlaw
