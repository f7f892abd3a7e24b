#include "linalg/kernel.h"

#include "base/error.h"

namespace bitlaw::linalg {

const Kernel& kernel(Isa isa) {
  BITLAW_CHECK(isa <= best_isa());
  switch (isa) {
    case Isa::kPlain:
      return kKernelPlain;
    case Isa::kAvx2:
      return kKernelAvx2;
    case Isa::kAvx512:
      return kKernelAvx512;
  }
  return kKernelPlain;
}

const Kernel& kernel() {
  return kernel(best_isa());
}

}  // namespace bitlaw::linalg
