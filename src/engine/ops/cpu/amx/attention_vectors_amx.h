// Vector work of attention on the tile unit between its products, sixteen floats at a time: powers
// of two, logarithms, and sums and maxima of rows.
#pragma once

#include "ops/cpu/amx/tile_unit_amx.h"
#include "ops/cpu/exponential_avx512.h"

namespace bitlaw::cpu::amx {
namespace {

constexpr float kLog2E = 1.44269504f, kLn2 = 0.693147181f;

inline __m512 broadcast(const float* x) {
  return _mm512_set1_ps(*x);
}

// ln a for a >= 1/2: a = 2^n m, m in 3/4 .. 3/2; ln m = 2 atanh z, z = (m - 1) / (m + 1), |z| <=
// 1/5, as z times a polynomial in z^2: 2 (1 + z^2/3 + ...), the first term left out below 2^-24.
inline __m512 logarithm(__m512 a) {
  const __m512 one = _mm512_set1_ps(1.0f);
  const __m512 m = _mm512_getmant_ps(a, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
  const __m512 n = _mm512_getexp_ps(_mm512_div_ps(a, m));
  const __m512 z = _mm512_div_ps(_mm512_sub_ps(m, one), _mm512_add_ps(m, one));
  const __m512 zz = _mm512_mul_ps(z, z);
  __m512 p = _mm512_set1_ps(2.0f / 11);
  p = _mm512_fmadd_ps(p, zz, _mm512_set1_ps(2.0f / 9));
  p = _mm512_fmadd_ps(p, zz, _mm512_set1_ps(2.0f / 7));
  p = _mm512_fmadd_ps(p, zz, _mm512_set1_ps(2.0f / 5));
  p = _mm512_fmadd_ps(p, zz, _mm512_set1_ps(2.0f / 3));
  p = _mm512_fmadd_ps(p, zz, _mm512_set1_ps(2.0f));
  return _mm512_fmadd_ps(n, _mm512_set1_ps(kLn2), _mm512_mul_ps(p, z));
}

// Sixteen vectors to one: lane r is vector r folded. f folds two vectors lane by lane.
template <class F>
inline __attribute__((always_inline)) __m512 fold(const __m512* x, F f) {
  __m512 a[8], b[4], c[2];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    a[i] =
        f(_mm512_shuffle_f32x4(x[i], x[i + 8], 0x44), _mm512_shuffle_f32x4(x[i], x[i + 8], 0xee));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    b[i] =
        f(_mm512_shuffle_f32x4(a[i], a[i + 4], 0x88), _mm512_shuffle_f32x4(a[i], a[i + 4], 0xdd));
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    const __m512d low = _mm512_castps_pd(b[i]), high = _mm512_castps_pd(b[i + 2]);
    c[i] = f(_mm512_castpd_ps(_mm512_unpacklo_pd(low, high)),
             _mm512_castpd_ps(_mm512_unpackhi_pd(low, high)));
  }
  const __m512 y = f(_mm512_shuffle_ps(c[0], c[1], 0x88), _mm512_shuffle_ps(c[0], c[1], 0xdd));
  // Four blocks hold rows 0, 8, 4, 12 and on; in a block the order is 0, 2, 1, 3.
  return _mm512_permutexvar_ps(
      _mm512_set_epi32(15, 13, 14, 12, 7, 5, 6, 4, 11, 9, 10, 8, 3, 1, 2, 0), y);
}
inline __m512 sums_of(const __m512* x) {
  return fold(x, [](__m512 a, __m512 b) { return _mm512_add_ps(a, b); });
}
inline __m512 largest_of(const __m512* x) {
  return fold(x, [](__m512 a, __m512 b) { return _mm512_max_ps(a, b); });
}

}  // namespace
}  // namespace bitlaw::cpu::amx
