#include "formats/block_error.h"

namespace bitlaw {

double squared_error(const BlockRounding& rounding, const float* w, int64_t count) {
  return squared_error(best_isa(), rounding, w, count);
}

double squared_error(Isa isa, const BlockRounding& rounding, const float* w, int64_t count) {
  switch (isa) {
    case Isa::kAvx512:
      return squared_error_avx512(rounding, w, count);
    case Isa::kAvx2:
      return squared_error_avx2(rounding, w, count);
    case Isa::kPlain:
      break;
  }
  return squared_error_plain(rounding, w, count);
}

}  // namespace bitlaw
