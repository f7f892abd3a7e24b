#include "fit/residual_kernel.h"

namespace bitlaw {

const ResidualKernel& residual_kernel(Isa isa) {
  if (isa == Isa::kAvx512) return kResidualKernelAvx512;
  if (isa == Isa::kAvx2) return kResidualKernelAvx2;
  return kResidualKernelPlain;
}

const ResidualKernel& residual_kernel() {
  return residual_kernel(best_isa());
}

}  // namespace bitlaw
