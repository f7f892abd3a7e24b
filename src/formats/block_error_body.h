// Included by one file per instruction set, which the compiler turns the vectors below into.
#include <cstdint>
#include <cstring>

#include "formats/block_error.h"

namespace bitlaw {
namespace {

constexpr int kLanes = 16;
typedef float Floats __attribute__((vector_size(kLanes * sizeof(float))));
typedef uint32_t Words __attribute__((vector_size(kLanes * sizeof(uint32_t))));
typedef float HalfFloats __attribute__((vector_size(kLanes / 2 * sizeof(float))));
typedef double Doubles __attribute__((vector_size(kLanes / 2 * sizeof(double))));

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
  Words bits = (Words)kept;
  const Words last_kept = bits >> r.dropped_bits & 1u;
  bits += (1u << (r.dropped_bits - 1)) - 1u + last_kept;
  bits = bits >> r.dropped_bits << r.dropped_bits;
  return kept < r.smallest_normal ? subnormal : (Floats)bits;
}

inline Floats magnitude_of(Floats x) {
  return (Floats)((Words)x & 0x7fffffffu);
}

struct Sums {
  Doubles low = {}, high = {};

  void add_square(Floats x) {
    const Doubles a =
        __builtin_convertvector(__builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7), Doubles);
    const Doubles b = __builtin_convertvector(
        __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15), Doubles);
    low += a * a;
    high += b * b;
  }

  double total() const {
    double lanes[kLanes];
    std::memcpy(lanes, &low, sizeof low);
    std::memcpy(lanes + kLanes / 2, &high, sizeof high);
    for (int step = kLanes / 2; step > 0; step /= 2) {
      for (int i = 0; i < step; ++i) lanes[i] += lanes[i + step];
    }
    return lanes[0];
  }
};

inline Floats load(const float* p) {
  Floats x;
  std::memcpy(&x, p, sizeof x);
  return x;
}

template <class Difference>
inline double sum_of_squares(const float* w, int64_t count, Difference difference) {
  Sums sums;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) sums.add_square(difference(load(w + i)));
  if (i < count) {
    float rest[kLanes] = {};  // a zero is rounded to zero
    std::memcpy(rest, w + i, static_cast<size_t>(count - i) * sizeof(float));
    sums.add_square(difference(load(rest)));
  }
  return sums.total();
}

double squared_error_here(const BlockRounding& r, const float* w, int64_t count) {
  if (r.integer) {
    return sum_of_squares(
        w, count, [&](Floats x) { return x - nearest_integer(r, x * r.inverse) * r.scale; });
  }
  return sum_of_squares(w, count, [&](Floats x) {
    const Floats magnitude = magnitude_of(x);
    return magnitude - nearest_float(r, magnitude * r.inverse) * r.scale;
  });
}

}  // namespace
}  // namespace bitlaw
