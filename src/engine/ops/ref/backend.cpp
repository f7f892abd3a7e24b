#include "ops/ref/backend.h"

namespace bitlaw {

const Backend kReferenceBackend{
    .name = "reference",
    .device = Device::kCpu,
    .takes_f64 = true,
    .allocate = Tensor::empty,
#define OP(result, name, parameters) .name = ref::name,
#include "ops/ops.inc"
#undef OP
};

}  // namespace bitlaw
