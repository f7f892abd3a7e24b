// The kernels for AVX-512.

// GCC 12 warns about undefined vectors inside its own intrinsics (bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"

#include "ops/cpu/simd_avx512.h"
//
#include "ops/cpu/kernels_body.h"

namespace bitlaw::cpu {

const Kernels& kernels_avx512() {
  return kKernels;
}

}  // namespace bitlaw::cpu
