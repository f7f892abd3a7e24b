namespace bitlaw {
constexpr int kIsa = 2;
}

#include "fit/residual_kernel_body.h"

namespace bitlaw {

const ResidualKernel kResidualKernelAvx512{link, combine};

}  // namespace bitlaw
