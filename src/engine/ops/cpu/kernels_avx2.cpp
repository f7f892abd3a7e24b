// The kernels for AVX2 with FMA.
#include "ops/cpu/simd_avx2.h"
//
#include "ops/cpu/kernels_body.h"

namespace bitlaw::cpu {

const Kernels& kernels_avx2() {
  return kKernels;
}

}  // namespace bitlaw::cpu
