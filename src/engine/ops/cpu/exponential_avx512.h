// 2^t for code whose bits may differ between instruction sets: attention and head on the tile unit.
#pragma once

#include <immintrin.h>

namespace bitlaw::cpu {
namespace {

// 2^t = 2^n 2^f, n = floor(t), f = t - n; 2^f a polynomial, exactly 1 at 0, with the least largest
// error: 1.4 units of 2^-24, 2.5 with the roundings. Infinite from t = 128 up.
inline __m512 exponential2(__m512 t) {
  const __m512 f = _mm512_reduce_ps(t, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __m512 p = _mm512_set1_ps(1.867129e-3f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.01703257e-3f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.57999127e-2f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.240164444f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.693151295f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
  return _mm512_scalef_ps(p, t);
}

}  // namespace
}  // namespace bitlaw::cpu
