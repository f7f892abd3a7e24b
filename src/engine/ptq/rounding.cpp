#include "ptq/rounding.h"

#include <bit>
#include <cmath>

#include "formats/block_error.h"

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

// round_to_code() of an eXmY format: normal codes are a float with fewer bits, those below them
// multiples of the smallest.
float nearest_minifloat(const BlockRounding& format, float y) {
  const uint32_t sign = std::bit_cast<uint32_t>(y) & 0x80000000u;
  const float magnitude = std::fabs(y);
  const float inside = magnitude > format.highest ? format.highest : magnitude;
  const auto dropped = static_cast<uint32_t>(format.dropped_bits);
  const uint32_t bits = std::bit_cast<uint32_t>(inside);
  const uint32_t half = (1u << (dropped - 1)) - 1 + (bits >> dropped & 1u);
  const uint32_t normal = (bits + half) & ~((1u << dropped) - 1);
  const uint32_t below = std::bit_cast<uint32_t>((inside + format.magic) - format.magic);
  const uint32_t code = inside < format.smallest_normal ? below : normal;
  return std::bit_cast<float>((inside != inside ? bits : code) | sign);
}

}  // namespace

void codes_of_block(const WeightScheme& scheme, const BlockGrid& grid, const float* weights,
                    int64_t count, float* codes) {
  if (scheme.format.kind != FormatKind::kInteger) {
    const BlockRounding format = unscaled_rounding(scheme.format);
    const float inverse = grid.inverse;
    for (int64_t i = 0; i < count; ++i) codes[i] = nearest_minifloat(format, weights[i] * inverse);
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

void codes_of_column(const WeightScheme& scheme, const float* inverses, const float* zeros,
                     const float* targets, int64_t count, float* codes) {
  if (scheme.format.kind != FormatKind::kInteger) {
    const BlockRounding format = unscaled_rounding(scheme.format);
    for (int64_t i = 0; i < count; ++i)
      codes[i] = nearest_minifloat(format, targets[i] * inverses[i]);
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
