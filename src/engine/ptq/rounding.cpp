#include "ptq/rounding.h"

#include <bit>

namespace bitlaw {
namespace {

// round_to_code() of an integer format, and code_of() less its zero: y between two codes, which are
// whole numbers, so that it may be cut off first. Adding 1.5 * 2^23 leaves no binary places, ties to
// even; what becomes zero keeps its sign. A NaN stays one.
float nearest_whole(float y, float low, float high) {
  constexpr float kMagic = 12582912.0f;
  const float inside = y < low ? low : y > high ? high : y;
  const uint32_t sign = std::bit_cast<uint32_t>(inside) & 0x80000000u;
  const uint32_t magnitude = std::bit_cast<uint32_t>((inside + kMagic) - kMagic) & 0x7fffffffu;
  return std::bit_cast<float>(magnitude | sign);
}

}  // namespace

void codes_of_block(const WeightScheme& scheme, const BlockGrid& grid, const float* weights,
                    int64_t count, float* codes) {
  if (scheme.format.kind != FormatKind::kInteger) {
    for (int64_t i = 0; i < count; ++i) codes[i] = code_of(scheme, grid, weights[i]);
    return;
  }
  const float inverse = grid.inverse, zero = grid.zero;
  const float low = scheme.lowest_code() - zero, high = scheme.highest_code() - zero;
  if (scheme.asymmetric) {
    for (int64_t i = 0; i < count; ++i)
      codes[i] = nearest_whole(weights[i] * inverse, low, high) + zero;
  } else {
    for (int64_t i = 0; i < count; ++i) codes[i] = nearest_whole(weights[i] * inverse, low, high);
  }
}

void codes_of_column(const WeightScheme& scheme, const float* scales, const float* inverses,
                     const float* zeros, const float* targets, int64_t count, float* codes) {
  if (scheme.format.kind != FormatKind::kInteger) {
    for (int64_t i = 0; i < count; ++i)
      codes[i] = code_of(scheme, {scales[i], inverses[i], zeros[i]}, targets[i]);
    return;
  }
  const float low = scheme.lowest_code(), high = scheme.highest_code();
  if (scheme.asymmetric) {
    for (int64_t i = 0; i < count; ++i) {
      const float zero = zeros[i];
      codes[i] = nearest_whole(targets[i] * inverses[i], low - zero, high - zero) + zero;
    }
  } else {
    for (int64_t i = 0; i < count; ++i)
      codes[i] = nearest_whole(targets[i] * inverses[i], low, high);
  }
}

}  // namespace bitlaw
