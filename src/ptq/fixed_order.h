// Eigen cuts its products by the sizes of the caches it finds, which would make the order of sums,
// and with it the last bits of a Hessian, depend on the machine. These sizes hold on all machines.
#pragma once

#include <Eigen/Core>

namespace bitlaw {

inline const bool kSameBlocksOnEveryMachine =
    (Eigen::setCpuCacheSizes(32 << 10, 512 << 10, 4 << 20), true);

}  // namespace bitlaw
