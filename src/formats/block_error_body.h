// Included by one file per instruction set, which first defines kWidth, the floats per vector.
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "formats/block_error.h"

namespace bitlaw {
namespace {

constexpr int kLanes = 16, kVectors = kLanes / kWidth, kHalf = kWidth / 2;
typedef float Floats __attribute__((vector_size(kWidth * sizeof(float))));
typedef uint32_t Words __attribute__((vector_size(kWidth * sizeof(uint32_t))));
typedef float HalfFloats __attribute__((vector_size(kHalf * sizeof(float))));
typedef uint32_t HalfWords __attribute__((vector_size(kHalf * sizeof(uint32_t))));
typedef double Doubles __attribute__((vector_size(kHalf * sizeof(double))));

template <class V>
using WordsLike = std::conditional_t<sizeof(V) == sizeof(Words), Words, HalfWords>;

template <class V>
inline V least(V a, V b) {
  return a < b ? a : b;
}
template <class V>
inline V largest(V a, V b) {
  return a > b ? a : b;
}

// round_to_code for integers; the bounds are integers, so they may come first.
template <class V>
inline V nearest_integer(const BlockRounding& r, V y) {
  const V kept = largest(least(y, r.highest + V{}), r.lowest + V{});
  return (kept + 12582912.0f) - 12582912.0f;
}

// round_to_code for the magnitude of a float, which saturates first: the bound is a code.
template <class V>
inline V nearest_float(const BlockRounding& r, V magnitude) {
  using Bits = WordsLike<V>;
  const V kept = least(magnitude, r.highest + V{});
  const V subnormal = (kept + r.magic) - r.magic;
  const auto dropped = static_cast<uint32_t>(r.dropped_bits);
  Bits bits = (Bits)kept;
  const Bits last_kept = bits >> dropped & 1u;
  bits += (1u << (dropped - 1u)) - 1u + last_kept;
  bits &= ~((1u << dropped) - 1u);
  return kept < r.smallest_normal ? subnormal : (V)bits;
}

template <class V>
inline V magnitude_of(V x) {
  return (V)((WordsLike<V>)x & 0x7fffffffu);
}

// x - value, or its magnitude.
template <class V>
inline V integer_difference(const BlockRounding& r, V x, V inverse, V scale) {
  return x - nearest_integer(r, x * inverse) * scale;
}
template <class V>
inline V float_difference(const BlockRounding& r, V x, V inverse, V scale) {
  const V magnitude = magnitude_of(x);
  return magnitude - nearest_float(r, magnitude * inverse) * scale;
}

inline Floats load(const float* p) {
  Floats x;
  std::memcpy(&x, p, sizeof x);
  return x;
}

// The first lanes have x[i] + x[i + step].
template <int step>
inline Doubles folded(Doubles x) {
  return [&]<int... i>(std::integer_sequence<int, i...>) {
    return x + __builtin_shufflevector(x, x, (i ^ step)...);
  }
  (std::make_integer_sequence<int, kHalf>{});
}

inline Doubles widened(HalfFloats x) {
#ifdef __AVX512F__
  return (Doubles)_mm512_cvtps_pd((__m256)x);  // GCC 12 converts four at a time
#else
  return __builtin_convertvector(x, Doubles);
#endif
}

// sum + x x for floats x: the product is exact, so that a fused sum has the same bits.
inline Doubles sum_with_square(Doubles sum, Doubles x) {
#ifdef __FMA__
  for (int i = 0; i < kHalf; ++i) sum[i] = __builtin_fma(x[i], x[i], sum[i]);
  return sum;
#else
  return sum + x * x;
#endif
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
        const Doubles wide = widened(halves[half]);
        Doubles& sum = lanes[2 * v + half];
        sum = sum_with_square(sum, wide);
      }
    }
  }

  // Lane i and lane i + 8, then 4, 2 and 1.
  double total() const {
    Doubles sums[2 * kVectors];
    std::memcpy(sums, lanes, sizeof sums);
    for (int n = kVectors; n > 0; n /= 2) {
      for (int v = 0; v < n; ++v) sums[v] += sums[v + n];
    }
    Doubles x = sums[0];
    if constexpr (kHalf > 4) x = folded<4>(x);
    if constexpr (kHalf > 2) x = folded<2>(x);
    return folded<1>(x)[0];
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

inline double squared_error_here(const BlockRounding& r, const float* w, int64_t count) {
  const Floats inverse = r.inverse + Floats{}, scale = r.scale + Floats{};
  if (r.integer) {
    return sum_over_lanes(w, count,
                          [&](Floats x) { return integer_difference(r, x, inverse, scale); });
  }
  return sum_over_lanes(w, count, [&](Floats x) { return float_difference(r, x, inverse, scale); });
}

// squared_error at several scales, one in each lane of a vector. `whole`: count is a multiple of
// kLanes, which keeps the sums in registers.
template <bool whole, class Difference>
inline void squared_errors_of(const Scales& scales, const float* w, int64_t count, double* errors,
                              Difference difference) {
  for (int first = 0; first < Scales::kCount; first += kHalf) {
    HalfFloats scale, inverse;
    std::memcpy(&scale, scales.scale + first, sizeof scale);
    std::memcpy(&inverse, scales.inverse + first, sizeof inverse);
    Doubles lanes[kLanes] = {};
    const auto add = [&](const float* p, int64_t k) {
      const HalfFloats d = difference(p[k] - HalfFloats{}, inverse, scale);
      lanes[k] = sum_with_square(lanes[k], widened(d));
    };
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
#pragma GCC unroll 16
      for (int64_t k = 0; k < kLanes; ++k) add(w + i, k);
    }
    if constexpr (!whole) {
      for (int64_t k = 0; i + k < count; ++k) add(w + i, k);
    }
#pragma GCC unroll 4
    for (int step = kLanes / 2; step > 0; step /= 2) {
#pragma GCC unroll 8
      for (int k = 0; k < step; ++k) lanes[k] += lanes[k + step];
    }
    std::memcpy(errors + first, lanes, sizeof lanes[0]);
  }
}

inline void squared_errors_here(const BlockRounding& r, const Scales& scales, const float* w,
                                int64_t count, double* errors) {
  const auto of = [&](auto difference) {
    if (count % kLanes == 0) return squared_errors_of<true>(scales, w, count, errors, difference);
    squared_errors_of<false>(scales, w, count, errors, difference);
  };
  if (r.integer) {
    of([&](HalfFloats x, HalfFloats inverse, HalfFloats scale) {
      return integer_difference(r, x, inverse, scale);
    });
  } else {
    of([&](HalfFloats x, HalfFloats inverse, HalfFloats scale) {
      return float_difference(r, x, inverse, scale);
    });
  }
}

// max(0, |x| - range)
inline double squares_beyond_here(float range, const float* w, int64_t count) {
  return sum_over_lanes(w, count,
                        [&](Floats x) { return largest(magnitude_of(x) - range, Floats{}); });
}

inline double sum_of_squares_here(const float* w, int64_t count) {
  return sum_over_lanes(w, count, [](Floats x) { return x; });
}

// Magnitudes are ordered as their bits are.
inline float largest_magnitude_here(const float* w, int64_t count) {
  Words most = {};
  const auto take = [&](const float* p) {
    const Words bits = (Words)magnitude_of(load(p));
    most = bits > most ? bits : most;
  };
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) take(w + i);
  if (i < count) {
    float rest[kWidth] = {};
    std::memcpy(rest, w + i, static_cast<size_t>(count - i) * sizeof(float));
    take(rest);
  }
  uint32_t lanes[kWidth], largest = 0;
  std::memcpy(lanes, &most, sizeof lanes);
  for (const uint32_t lane : lanes) largest = lane > largest ? lane : largest;
  return std::bit_cast<float>(largest);
}

}  // namespace
}  // namespace bitlaw
