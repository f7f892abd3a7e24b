namespace bitlaw {
constexpr int kWidth = 16;
}

#include "formats/clip_search_body.h"

namespace bitlaw {

double squared_error_avx512(const BlockRounding& rounding, const float* w, int64_t count) {
  return squared_error_here(rounding, w, count);
}

void squared_errors_avx512(const BlockRounding& rounding, const Scales& scales, const float* w,
                           int64_t count, double* errors) {
  squared_errors_here(rounding, scales, w, count, errors);
}

double squares_beyond_avx512(float range, const float* w, int64_t count) {
  return squares_beyond_here(range, w, count);
}

double sum_of_squares_avx512(const float* w, int64_t count) {
  return sum_of_squares_here(w, count);
}

float largest_magnitude_avx512(const float* w, int64_t count) {
  return largest_magnitude_here(w, count);
}

int best_clip_avx512(const ClipBlock& block) {
  return best_clip_here(block);
}

}  // namespace bitlaw
