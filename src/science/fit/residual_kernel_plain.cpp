namespace bitlaw {
constexpr int kIsa = 0;
}

#include "fit/residual_kernel_body.h"

namespace bitlaw {

const ResidualKernel kResidualKernelPlain{link, combine};

}  // namespace bitlaw
