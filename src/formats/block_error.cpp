#include "formats/block_error.h"

#include "formats/per_format.h"

namespace bitlaw {

const BlockRounding& unscaled_rounding(const Format& format) {
  static PerFormat<BlockRounding> roundings;
  return roundings.get(format, [](const Format& of) {
    return BlockRounding{.lowest = of.min_code,
                         .highest = of.max_code,
                         .integer = of.kind == FormatKind::kInteger,
                         .dropped_bits = 23 - of.mantissa_bits,
                         .smallest_normal = of.smallest_normal(),
                         .magic = 0x1.8p23f * of.smallest_positive()};
  });
}

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

void squared_errors(const BlockRounding& rounding, const Scales& scales, const float* w,
                    int64_t count, double* errors) {
  squared_errors(best_isa(), rounding, scales, w, count, errors);
}

void squared_errors(Isa isa, const BlockRounding& rounding, const Scales& scales, const float* w,
                    int64_t count, double* errors) {
  switch (isa) {
    case Isa::kAvx512:
      return squared_errors_avx512(rounding, scales, w, count, errors);
    case Isa::kAvx2:
      return squared_errors_avx2(rounding, scales, w, count, errors);
    case Isa::kPlain:
      break;
  }
  return squared_errors_plain(rounding, scales, w, count, errors);
}

double squares_beyond(float range, const float* w, int64_t count) {
  return squares_beyond(best_isa(), range, w, count);
}

double squares_beyond(Isa isa, float range, const float* w, int64_t count) {
  switch (isa) {
    case Isa::kAvx512:
      return squares_beyond_avx512(range, w, count);
    case Isa::kAvx2:
      return squares_beyond_avx2(range, w, count);
    case Isa::kPlain:
      break;
  }
  return squares_beyond_plain(range, w, count);
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

float largest_magnitude(const float* w, int64_t count) {
  return largest_magnitude(best_isa(), w, count);
}

float largest_magnitude(Isa isa, const float* w, int64_t count) {
  switch (isa) {
    case Isa::kAvx512:
      return largest_magnitude_avx512(w, count);
    case Isa::kAvx2:
      return largest_magnitude_avx2(w, count);
    case Isa::kPlain:
      break;
  }
  return largest_magnitude_plain(w, count);
}

}  // namespace bitlaw
