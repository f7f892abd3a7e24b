// The kernels for plain C++.
#include "ops/cpu/simd_plain.h"
//
#include "ops/cpu/kernels_body.h"

namespace bitlaw::cpu {

const Kernels& kernels_plain() {
  return kKernels;
}

}  // namespace bitlaw::cpu
