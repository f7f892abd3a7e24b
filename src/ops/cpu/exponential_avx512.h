// 2^t where the result need not have the same bits on other instruction sets: what the tile unit's
// own attention and head use.
#pragma once

#include <immintrin.h>

namespace bitlaw::cpu {
namespace {

// 2^t for t <= 128; everything below -126 counts as that. 2^t = 2^n 2^f, n the integer next to t
// (adding 1.5 * 2^23 leaves it in the lowest bits), |f| <= 1/2; 2^f a polynomial, exactly 1 at 0,
// with the least largest error: 1.6 units of 2^-24, 2.9 with the roundings.
inline __m512 exponential2(__m512 t) {
  const __m512 magic = _mm512_set1_ps(12582912.0f);
  t = _mm512_max_ps(_mm512_set1_ps(-126.0f), t);  // the second where it is NaN
  const __m512 shifted = _mm512_add_ps(t, magic);
  const __m512 f = _mm512_sub_ps(t, _mm512_sub_ps(shifted, magic));
  __m512 p = _mm512_set1_ps(1.32647005e-3f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.67151206e-3f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.55073395e-2f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.240222424f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.693147004f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
  const __m512i n = _mm512_slli_epi32(_mm512_castps_si512(shifted), 23);
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), n));
}

}  // namespace
}  // namespace bitlaw::cpu
