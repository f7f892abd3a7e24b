#include "ops/cpu/backend.h"

#include "ops/cpu/amx/products_amx.h"

namespace bitlaw {

const Backend kCpuBackend{
    .name = "cpu",
    .device = Device::kCpu,
    .allocate = Tensor::empty,
    .begin_sequence = cpu::amx::hold,
    .end_sequence = cpu::amx::let_go,
#define OP(result, name, parameters) .name = cpu::name,
#include "ops/ops.inc"
#undef OP
};

}  // namespace bitlaw
