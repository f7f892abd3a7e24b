// Sixteen floats as two halves on AVX2 with FMA: the functions of simd_avx512.h, with the same
// bits.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace bitlaw::cpu {
namespace {

constexpr int kLanes = 16;

struct V {
  __m256 low, high;
};

alignas(64) constexpr int32_t kMask[32] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                           -1, -1, -1, -1, -1, -1, -1, -1};
inline __m256i first(
    int64_t n) {  // the first n of 16 lanes, lower half; first(n - 8) style for the upper
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 16 - n));
}
inline __m256i first_upper(int64_t n) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 24 - n));
}

inline V splat(float x) {
  return {_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
inline V load(const float* p) {
  return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
inline V load(const float* p, int64_t n) {
  return {_mm256_maskload_ps(p, first(n)), _mm256_maskload_ps(p + 8, first_upper(n))};
}
inline void store(float* p, V x) {
  _mm256_storeu_ps(p, x.low);
  _mm256_storeu_ps(p + 8, x.high);
}
inline void store(float* p, V x, int64_t n) {
  _mm256_maskstore_ps(p, first(n), x.low);
  _mm256_maskstore_ps(p + 8, first_upper(n), x.high);
}

inline V operator+(V a, V b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
inline V operator-(V a, V b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
inline V operator*(V a, V b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
inline V operator/(V a, V b) {
  return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
inline V fma(V a, V b, V c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
inline V minus_fma(V a, V b, V c) {
  return {_mm256_fnmadd_ps(a.low, b.low, c.low), _mm256_fnmadd_ps(a.high, b.high, c.high)};
}
inline V sqrt(V a) {
  return {_mm256_sqrt_ps(a.low), _mm256_sqrt_ps(a.high)};
}
inline V max(V a, V b) {
  return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
inline V min(V a, V b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
inline V abs(V a) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, a.low), _mm256_andnot_ps(sign, a.high)};
}
inline V copysign(V magnitude, V sign) {
  const __m256 mask = _mm256_set1_ps(-0.0f);
  return {_mm256_or_ps(magnitude.low, _mm256_and_ps(sign.low, mask)),
          _mm256_or_ps(magnitude.high, _mm256_and_ps(sign.high, mask))};
}
inline V round_even(V a) {
  constexpr int mode = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  return {_mm256_round_ps(a.low, mode), _mm256_round_ps(a.high, mode)};
}
inline V select_less(V a, V b, V yes, V no) {
  return {_mm256_blendv_ps(no.low, yes.low, _mm256_cmp_ps(a.low, b.low, _CMP_LT_OQ)),
          _mm256_blendv_ps(no.high, yes.high, _mm256_cmp_ps(a.high, b.high, _CMP_LT_OQ))};
}
template <int half>
inline __m256 butterfly(__m256 a) {
  __m256 other;
  if constexpr (half == 1) {
    other = _mm256_permute_ps(a, 0xb1);
  } else if constexpr (half == 2) {
    other = _mm256_permute_ps(a, 0x4e);
  } else {
    static_assert(half == 4);
    other = _mm256_permute2f128_ps(a, a, 1);
  }
  constexpr int upper = half == 1 ? 0xaa : half == 2 ? 0xcc : 0xf0;
  return _mm256_blend_ps(_mm256_add_ps(a, other), _mm256_sub_ps(other, a), upper);
}
template <int half>
inline V butterfly(V a) {
  if constexpr (half == 8) {
    return {_mm256_add_ps(a.low, a.high), _mm256_sub_ps(a.low, a.high)};
  } else {
    return {butterfly<half>(a.low), butterfly<half>(a.high)};
  }
}
inline V fill_after(V a, int64_t n, float other) {
  const __m256 rest = _mm256_set1_ps(other);
  return {_mm256_blendv_ps(rest, a.low, _mm256_castsi256_ps(first(n))),
          _mm256_blendv_ps(rest, a.high, _mm256_castsi256_ps(first_upper(n)))};
}
inline __m256 add_to_exponent(__m256 p, __m256 shifted) {
  const __m256i n = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), n));
}
inline V add_to_exponent(V p, V shifted) {
  return {add_to_exponent(p.low, shifted.low), add_to_exponent(p.high, shifted.high)};
}
inline V rough_reciprocal(V a) {
  const __m256i magic = _mm256_set1_epi32(0x7ef311c7);
  return {_mm256_castsi256_ps(_mm256_sub_epi32(magic, _mm256_castps_si256(a.low))),
          _mm256_castsi256_ps(_mm256_sub_epi32(magic, _mm256_castps_si256(a.high)))};
}

inline __m256i rounded_bits(__m256 x, int dropped) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd =
      _mm256_and_si256(_mm256_srl_epi32(bits, _mm_cvtsi32_si128(dropped)), _mm256_set1_epi32(1));
  return _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32((1 << (dropped - 1)) - 1)), odd);
}
inline V drop_mantissa(V magnitude, int dropped) {
  const __m256i keep = _mm256_set1_epi32(static_cast<int>(~0u << dropped));
  return {_mm256_castsi256_ps(_mm256_and_si256(rounded_bits(magnitude.low, dropped), keep)),
          _mm256_castsi256_ps(_mm256_and_si256(rounded_bits(magnitude.high, dropped), keep))};
}

inline __m256i bf16_bits(__m256 x) {
  const __m256 nan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
  const __m256 quiet = _mm256_or_ps(x, _mm256_castsi256_ps(_mm256_set1_epi32(0x400000)));
  return _mm256_castps_si256(
      _mm256_blendv_ps(_mm256_castsi256_ps(rounded_bits(x, 16)), quiet, nan));
}
inline V round_bf16(V x) {
  const __m256i keep = _mm256_set1_epi32(static_cast<int>(0xffff0000u));
  return {_mm256_castsi256_ps(_mm256_and_si256(bf16_bits(x.low), keep)),
          _mm256_castsi256_ps(_mm256_and_si256(bf16_bits(x.high), keep))};
}
inline __m256i upper_halves(__m256i low, __m256i high) {
  const __m256i packed =
      _mm256_packus_epi32(_mm256_srli_epi32(low, 16), _mm256_srli_epi32(high, 16));
  return _mm256_permute4x64_epi64(packed, 0xd8);
}
inline __m256i narrowed(V x) {
  return upper_halves(bf16_bits(x.low), bf16_bits(x.high));
}
inline V widened(__m256i x) {
  return {
      _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(x)), 16)),
      _mm256_castsi256_ps(
          _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(x, 1)), 16))};
}
inline V load_bf16(const uint16_t* p) {
  return widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline V load_bf16(const uint16_t* p, int64_t n) {
  alignas(32) uint16_t row[16] = {};
  for (int64_t i = 0; i < n; ++i) row[i] = p[i];
  return widened(_mm256_load_si256(reinterpret_cast<const __m256i*>(row)));
}
inline void store_words(uint16_t* p, __m256i x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x);
}
inline void store_words(uint16_t* p, __m256i x, int64_t n) {
  alignas(32) uint16_t row[16];
  _mm256_store_si256(reinterpret_cast<__m256i*>(row), x);
  for (int64_t i = 0; i < n; ++i) p[i] = row[i];
}
inline void store_bf16(uint16_t* p, V x) {
  store_words(p, narrowed(x));
}
inline void store_bf16(uint16_t* p, V x, int64_t n) {
  store_words(p, narrowed(x), n);
}
inline void store_gradient(uint16_t* p, V x) {
  store_words(p, narrowed(x));
}
inline void store_gradient(uint16_t* p, V x, int64_t n) {
  store_words(p, narrowed(x), n);
}
inline __m256i upper_halves(V x) {
  return upper_halves(_mm256_castps_si256(x.low), _mm256_castps_si256(x.high));
}
inline void store_upper(uint16_t* p, V x) {
  store_words(p, upper_halves(x));
}
inline void store_upper(uint16_t* p, V x, int64_t n) {
  store_words(p, upper_halves(x), n);
}

inline void store_upper(uint16_t* p, V x, V next) {  // of two vectors
  store_upper(p, x);
  store_upper(p + kLanes, next);
}

inline float sum(V a) {
  const __m256 a8 = _mm256_add_ps(a.low, a.high);
  const __m128 a4 = _mm_add_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps(a8, 1));
  const __m128 a2 = _mm_add_ps(a4, _mm_movehl_ps(a4, a4));
  return _mm_cvtss_f32(_mm_add_ss(a2, _mm_shuffle_ps(a2, a2, 1)));
}
inline float largest(V a) {
  const __m256 a8 = _mm256_max_ps(a.low, a.high);
  const __m128 a4 = _mm_max_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps(a8, 1));
  const __m128 a2 = _mm_max_ps(a4, _mm_movehl_ps(a4, a4));
  return _mm_cvtss_f32(_mm_max_ss(a2, _mm_shuffle_ps(a2, a2, 1)));
}

struct D {
  __m256d part[4];
};
inline D zero_doubles() {
  return {{_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd()}};
}
inline __m256d add_square(__m256d sum, __m128 x) {
  const __m256d wide = _mm256_cvtps_pd(x);
  return _mm256_fmadd_pd(wide, wide, sum);
}
inline D add_squares(D sum, V x) {
  return {{add_square(sum.part[0], _mm256_castps256_ps128(x.low)),
           add_square(sum.part[1], _mm256_extractf128_ps(x.low, 1)),
           add_square(sum.part[2], _mm256_castps256_ps128(x.high)),
           add_square(sum.part[3], _mm256_extractf128_ps(x.high, 1))}};
}
inline D add(D sum, V x) {
  return {{_mm256_add_pd(sum.part[0], _mm256_cvtps_pd(_mm256_castps256_ps128(x.low))),
           _mm256_add_pd(sum.part[1], _mm256_cvtps_pd(_mm256_extractf128_ps(x.low, 1))),
           _mm256_add_pd(sum.part[2], _mm256_cvtps_pd(_mm256_castps256_ps128(x.high))),
           _mm256_add_pd(sum.part[3], _mm256_cvtps_pd(_mm256_extractf128_ps(x.high, 1)))}};
}
inline double sum(D a) {
  const __m256d a4 =
      _mm256_add_pd(_mm256_add_pd(a.part[0], a.part[2]), _mm256_add_pd(a.part[1], a.part[3]));
  const __m128d a2 = _mm_add_pd(_mm256_castpd256_pd128(a4), _mm256_extractf128_pd(a4, 1));
  return _mm_cvtsd_f64(_mm_add_sd(a2, _mm_unpackhi_pd(a2, a2)));
}

}  // namespace
}  // namespace bitlaw::cpu
