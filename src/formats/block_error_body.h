// Included by one file per instruction set, which first defines kWidth, the floats per vector.
#include <cstdint>
#include <cstring>

#include "formats/block_error.h"

namespace bitlaw {
namespace {

constexpr int kLanes = 16, kVectors = kLanes / kWidth, kHalf = kWidth / 2;
typedef float Floats __attribute__((vector_size(kWidth * sizeof(float))));
typedef uint32_t Words __attribute__((vector_size(kWidth * sizeof(uint32_t))));
typedef float HalfFloats __attribute__((vector_size(kHalf * sizeof(float))));
typedef double Doubles __attribute__((vector_size(kHalf * sizeof(double))));

inline Floats least(Floats a, Floats b) {
  return a < b ? a : b;
}
inline Floats largest(Floats a, Floats b) {
  return a > b ? a : b;
}

// round_to_code for integers; the bounds are integers, so they may come first.
inline Floats nearest_integer(const BlockRounding& r, Floats y) {
  const Floats kept = largest(least(y, r.highest + Floats{}), r.lowest + Floats{});
  return (kept + 12582912.0f) - 12582912.0f;
}

// round_to_code for the magnitude of a float, which saturates first: the bound is a code.
inline Floats nearest_float(const BlockRounding& r, Floats magnitude) {
  const Floats kept = least(magnitude, r.highest + Floats{});
  const Floats subnormal = (kept + r.magic) - r.magic;
  const auto dropped = static_cast<uint32_t>(r.dropped_bits);
  Words bits = (Words)kept;
  const Words last_kept = bits >> dropped & 1u;
  bits += (1u << (dropped - 1u)) - 1u + last_kept;
  bits = bits >> dropped << dropped;
  return kept < r.smallest_normal ? subnormal : (Floats)bits;
}

inline Floats magnitude_of(Floats x) {
  return (Floats)((Words)x & 0x7fffffffu);
}

inline Floats load(const float* p) {
  Floats x;
  std::memcpy(&x, p, sizeof x);
  return x;
}

// The sixteen lanes.
struct Sums {
  Doubles lanes[2 * kVectors] = {};

  template <class Difference>
  void add_squares(const float* w, Difference difference) {
    for (int v = 0; v < kVectors; ++v) {
      const Floats x = difference(load(w + v * kWidth));
      HalfFloats halves[2];
      std::memcpy(halves, &x, sizeof halves);
      for (int half = 0; half < 2; ++half) {
        const Doubles wide = __builtin_convertvector(halves[half], Doubles);
        lanes[2 * v + half] += wide * wide;
      }
    }
  }

  double total() const {
    double sums[kLanes];
    std::memcpy(sums, lanes, sizeof sums);
    for (int step = kLanes / 2; step > 0; step /= 2) {
      for (int i = 0; i < step; ++i) sums[i] += sums[i + step];
    }
    return sums[0];
  }
};

template <class Difference>
inline double sum_over_lanes(const float* w, int64_t count, Difference difference) {
  Sums sums;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) sums.add_squares(w + i, difference);
  if (i < count) {
    float rest[kLanes] = {};  // a zero is rounded to zero
    std::memcpy(rest, w + i, static_cast<size_t>(count - i) * sizeof(float));
    sums.add_squares(rest, difference);
  }
  return sums.total();
}

double squared_error_here(const BlockRounding& r, const float* w, int64_t count) {
  if (r.integer) {
    return sum_over_lanes(
        w, count, [&](Floats x) { return x - nearest_integer(r, x * r.inverse) * r.scale; });
  }
  return sum_over_lanes(w, count, [&](Floats x) {
    const Floats magnitude = magnitude_of(x);
    return magnitude - nearest_float(r, magnitude * r.inverse) * r.scale;
  });
}

double sum_of_squares_here(const float* w, int64_t count) {
  return sum_over_lanes(w, count, [](Floats x) { return x; });
}

}  // namespace
}  // namespace bitlaw
