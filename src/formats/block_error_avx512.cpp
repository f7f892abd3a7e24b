namespace bitlaw {
constexpr int kWidth = 16;
}

#include "formats/block_error_body.h"

namespace bitlaw {

double squared_error_avx512(const BlockRounding& rounding, const float* w, int64_t count) {
  return squared_error_here(rounding, w, count);
}

double sum_of_squares_avx512(const float* w, int64_t count) {
  return sum_of_squares_here(w, count);
}

}  // namespace bitlaw
