namespace bitlaw {
constexpr int kIsa = 1;
}

#include "fit/residual_kernel_body.h"

namespace bitlaw {

const ResidualKernel kResidualKernelAvx2{link, combine};

}  // namespace bitlaw
