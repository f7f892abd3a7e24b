#include "ops/cpu/backend.h"

namespace bitlaw {

const Backend kCpuBackend{
    .name = "cpu",
    .device = Device::kCpu,
    .allocate = Tensor::empty,
#define OP(result, name, parameters) .name = cpu::name,
#include "ops/ops.inc"
#undef OP
};

}  // namespace bitlaw
