// Sixteen floats at once on AVX-512. simd_avx2.h and simd_plain.h define the same functions with
// the same bits: sixteen lanes everywhere, fused where the code says fma, sums folded in halves.
// Everything is in an unnamed namespace, so that code for one instruction set is never linked in
// place of another's.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace bitlaw::cpu {
namespace {

constexpr int kLanes = 16;

struct V {
  __m512 v;
};

inline __mmask16 first(int64_t n) {
  return static_cast<__mmask16>((1u << n) - 1u);
}  // n in 0..15

inline V splat(float x) {
  return {_mm512_set1_ps(x)};
}
inline V load(const float* p) {
  return {_mm512_loadu_ps(p)};
}
inline V load(const float* p, int64_t n) {
  return {_mm512_maskz_loadu_ps(first(n), p)};
}  // others 0
inline void store(float* p, V x) {
  _mm512_storeu_ps(p, x.v);
}
inline void store(float* p, V x, int64_t n) {
  _mm512_mask_storeu_ps(p, first(n), x.v);
}

inline V operator+(V a, V b) {
  return {_mm512_add_ps(a.v, b.v)};
}
inline V operator-(V a, V b) {
  return {_mm512_sub_ps(a.v, b.v)};
}
inline V operator*(V a, V b) {
  return {_mm512_mul_ps(a.v, b.v)};
}
inline V operator/(V a, V b) {
  return {_mm512_div_ps(a.v, b.v)};
}
inline V fma(V a, V b, V c) {
  return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}  // a b + c
inline V minus_fma(V a, V b, V c) {
  return {_mm512_fnmadd_ps(a.v, b.v, c.v)};
}  // c - a b
inline V sqrt(V a) {
  return {_mm512_sqrt_ps(a.v)};
}
// The second argument if either is NaN.
inline V max(V a, V b) {
  return {_mm512_max_ps(a.v, b.v)};
}
inline V min(V a, V b) {
  return {_mm512_min_ps(a.v, b.v)};
}
inline V abs(V a) {
  return {_mm512_abs_ps(a.v)};
}
inline V copysign(V magnitude, V sign) {  // magnitude >= 0
  return {_mm512_or_ps(magnitude.v, _mm512_and_ps(sign.v, _mm512_set1_ps(-0.0f)))};
}
inline V round_even(V a) {
  return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT)};
}
inline V select_less(V a, V b, V yes, V no) {  // a < b ? yes : no
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), no.v, yes.v)};
}
// Lane i becomes a[i] + a[i + half] if bit `half` of i is 0, else a[i - half] - a[i].
template <int half>
inline V butterfly(V a) {
  __m512 other;
  __mmask16 upper;
  if constexpr (half == 1) {
    other = _mm512_permute_ps(a.v, 0xb1), upper = 0xaaaa;
  } else if constexpr (half == 2) {
    other = _mm512_permute_ps(a.v, 0x4e), upper = 0xcccc;
  } else if constexpr (half == 4) {
    other = _mm512_shuffle_f32x4(a.v, a.v, 0xb1), upper = 0xf0f0;
  } else {
    static_assert(half == 8);
    other = _mm512_shuffle_f32x4(a.v, a.v, 0x4e), upper = 0xff00;
  }
  return {_mm512_mask_sub_ps(_mm512_add_ps(a.v, other), upper, other, a.v)};
}
inline V fill_after(V a, int64_t n, float other) {  // `other` in the lanes from n on
  return {_mm512_mask_blend_ps(first(n), _mm512_set1_ps(other), a.v)};
}
// p 2^n for normal p and a normal result; n is in the lowest bits of `shifted`.
inline V add_to_exponent(V p, V shifted) {
  const __m512i n = _mm512_slli_epi32(_mm512_castps_si512(shifted.v), 23);
  return {_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p.v), n))};
}
// A first guess of 1 / a for positive normal a, good to an eighth (bits subtracted as integers).
inline V rough_reciprocal(V a) {
  return {_mm512_castsi512_ps(
      _mm512_sub_epi32(_mm512_set1_epi32(0x7ef311c7), _mm512_castps_si512(a.v)))};
}

inline __m512i rounded_bits(
    V x, int dropped) {  // the lowest bits rounded away, ties to even; not cleared
  const __m512i bits = _mm512_castps_si512(x.v);
  const __m512i one = _mm512_set1_epi32(1);
  const __m512i odd = _mm512_and_si512(_mm512_srl_epi32(bits, _mm_cvtsi32_si128(dropped)), one);
  return _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32((1 << (dropped - 1)) - 1)), odd);
}
inline V drop_mantissa(V magnitude, int dropped) {  // not for NaN
  const __m512i keep = _mm512_set1_epi32(static_cast<int>(~0u << dropped));
  return {_mm512_castsi512_ps(_mm512_and_si512(rounded_bits(magnitude, dropped), keep))};
}

// BF16 in the upper halves of sixteen words: ties to even, NaN kept (and made quiet).
inline __m512i bf16_bits(V x) {
  const __mmask16 nan = _mm512_cmp_ps_mask(x.v, x.v, _CMP_UNORD_Q);
  const __m512i quiet = _mm512_set1_epi32(0x400000);
  return _mm512_mask_or_epi32(rounded_bits(x, 16), nan, _mm512_castps_si512(x.v), quiet);
}
inline V round_bf16(V x) {
  return {_mm512_castsi512_ps(
      _mm512_and_si512(bf16_bits(x), _mm512_set1_epi32(static_cast<int>(0xffff0000u))))};
}
inline __m256i narrowed(V x) {
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(bf16_bits(x), 16));
}
inline V widened(__m256i x) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16))};
}
inline V load_bf16(const uint16_t* p) {
  return widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline V load_bf16(const uint16_t* p, int64_t n) {
  return widened(_mm256_maskz_loadu_epi16(first(n), p));
}
inline void store_bf16(uint16_t* p, V x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrowed(x));
}
inline void store_bf16(uint16_t* p, V x, int64_t n) {
  _mm256_mask_storeu_epi16(p, first(n), narrowed(x));
}

// Results of arithmetic, whose NaNs are quiet already. With AVX512_BF16 in one instruction, which
// takes numbers below the smallest normal float for zero, as BF16 products do.
inline __m256i narrowed_gradient(V x) {
#ifdef __AVX512BF16__
  return (__m256i)_mm512_cvtneps_pbh(x.v);
#else
  const __m512i bits = _mm512_castps_si512(x.v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i sum = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(sum, 16));
#endif
}
inline void store_gradient(uint16_t* p, V x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrowed_gradient(x));
}
inline void store_gradient(uint16_t* p, V x, int64_t n) {
  _mm256_mask_storeu_epi16(p, first(n), narrowed_gradient(x));
}
inline void store_upper(uint16_t* p, V x) {  // upper halves as they are: x is a BF16 number
  const __m512i words = _mm512_srli_epi32(_mm512_castps_si512(x.v), 16);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(words));
}
inline void store_upper(uint16_t* p, V x, int64_t n) {
  const __m512i words = _mm512_srli_epi32(_mm512_castps_si512(x.v), 16);
  _mm256_mask_storeu_epi16(p, first(n), _mm512_cvtepi32_epi16(words));
}

inline void store_upper(uint16_t* p, V x, V next) {  // of two vectors
  const __m512i odd =
      _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29, 27,
                       25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
  _mm512_storeu_si512(
      p, _mm512_permutex2var_epi16(_mm512_castps_si512(x.v), odd, _mm512_castps_si512(next.v)));
}

inline float sum(V a) {
  const __m256 a8 = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 a4 = _mm_add_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps(a8, 1));
  const __m128 a2 = _mm_add_ps(a4, _mm_movehl_ps(a4, a4));
  return _mm_cvtss_f32(_mm_add_ss(a2, _mm_shuffle_ps(a2, a2, 1)));
}
inline float largest(V a) {
  return _mm512_reduce_max_ps(a.v);
}  // no NaN in a

// Sixteen doubles.
struct D {
  __m512d low, high;
};
inline D zero_doubles() {
  return {_mm512_setzero_pd(), _mm512_setzero_pd()};
}
inline D add_squares(D sum, V x) {  // sum + x^2, the square exact in double
  const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(x.v));
  const __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x.v, 1));
  return {_mm512_fmadd_pd(low, low, sum.low), _mm512_fmadd_pd(high, high, sum.high)};
}
inline D add(D sum, V x) {
  return {_mm512_add_pd(sum.low, _mm512_cvtps_pd(_mm512_castps512_ps256(x.v))),
          _mm512_add_pd(sum.high, _mm512_cvtps_pd(_mm512_extractf32x8_ps(x.v, 1)))};
}
inline double sum(D a) {
  const __m512d a8 = _mm512_add_pd(a.low, a.high);
  const __m256d a4 = _mm256_add_pd(_mm512_castpd512_pd256(a8), _mm512_extractf64x4_pd(a8, 1));
  const __m128d a2 = _mm_add_pd(_mm256_castpd256_pd128(a4), _mm256_extractf128_pd(a4, 1));
  return _mm_cvtsd_f64(_mm_add_sd(a2, _mm_unpackhi_pd(a2, a2)));
}

}  // namespace
}  // namespace bitlaw::cpu
