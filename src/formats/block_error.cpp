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

double sum_of_squares(const float* w, int64_t count) {
  return sum_of_squares(best_isa(), w, count);
}

double sum_of_squares(Isa isa, const float* w, int64_t count) {
  switch (isa) {
    case Isa::kAvx512:
      return sum_of_squares_avx512(w, count);
    case Isa::kAvx2:
      return sum_of_squares_avx2(w, count);
    case Isa::kPlain:
      break;
  }
  return sum_of_squares_plain(w, count);
}

}  // namespace bitlaw
