#include "solve/solver_kernel.h"

namespace bitlaw {

size_t SolverKernel::scratch_size(int columns) {
  constexpr size_t kBlock = 64, kLanes = 8;
  const size_t k = static_cast<size_t>(columns);
  return k * (2 * kBlock + kLanes + k * kLanes);
}

const SolverKernel& solver_kernel(Isa isa) {
  if (isa == Isa::kAvx512) return kSolverKernelAvx512;
  if (isa == Isa::kAvx2) return kSolverKernelAvx2;
  return kSolverKernelPlain;
}

const SolverKernel& solver_kernel() {
  return solver_kernel(best_isa());
}

}  // namespace bitlaw
