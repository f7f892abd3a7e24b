#include "solve/solver_kernel_body.h"

namespace bitlaw {

const SolverKernel kSolverKernelPlain{objective, normal_equations, move};

}  // namespace bitlaw
