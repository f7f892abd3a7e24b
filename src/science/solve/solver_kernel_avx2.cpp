#include "solve/solver_kernel_body.h"

namespace bitlaw {

const SolverKernel kSolverKernelAvx2{objective, normal_equations, move};

}  // namespace bitlaw
