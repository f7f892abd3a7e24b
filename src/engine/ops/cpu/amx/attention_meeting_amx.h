// One block of 32 keys by 32 queries in attention's backward pass: from the raw products to p and
// its gradient, rounded and laid out for the products that follow.
#pragma once

#include "ops/cpu/amx/attention_layout_amx.h"
#include "ops/cpu/amx/attention_vectors_amx.h"

namespace bitlaw::cpu::amx {
namespace {

// 32 keys (rows) by 32 queries (columns): products are [raw products, raw gradients]
// [2 panels of keys][2 panels of queries][16][16].
struct Meeting {
  const float* products;
  const float *key_scales, *value_scales;                // of the keys; the latter / sqrt(dim)
  const float *factors, *query_scales, *shifts, *pulls;  // of the queries
  uint16_t *p[2], *for_k[2];  // tiled A, of the two panels of keys: rows keys, K = queries
  uint16_t* for_q[2];         // tiled B, of two panels of queries, see query_of(): K = keys
};

// The queries' order in for_q, as unpacking words leaves it: panel and column to 0..31.
inline int query_of(int panel, int column) {
  return column / 4 * 8 + panel * 4 + column % 4;
}

// p and both ds of a meeting. Diagonal: key k is seen by queries from k on.
template <bool kDiagonal, bool kKeyScales, bool kQueryScales>
void meet(const Meeting& m) {
  const __m512 factor[2] = {_mm512_load_ps(m.factors), _mm512_load_ps(m.factors + 16)};
  const __m512 shift[2] = {_mm512_load_ps(m.shifts), _mm512_load_ps(m.shifts + 16)};
  const __m512 pull[2] = {_mm512_load_ps(m.pulls), _mm512_load_ps(m.pulls + 16)};
  for (int panel = 0; panel < 2; ++panel) {
    for (int r = 0; r < 16; r += 2) {
      __m512i to_query[2];
      for (int odd = 0; odd < 2; ++odd) {
        const int row = r + odd, key = 16 * panel + row;
        const __m512 value_scale = broadcast(m.value_scales + key);
        __m512 e[2], ds[2];
        for (int half = 0; half < 2; ++half) {
          const int64_t at = (panel * 2 + half) * kScores + row * 16;
          __m512 x = _mm512_load_ps(m.products + at);
          if constexpr (kKeyScales) x = _mm512_mul_ps(x, broadcast(m.key_scales + key));
          e[half] = exponential2(_mm512_fmsub_ps(x, factor[half], shift[half]));
          if constexpr (kDiagonal) {
            const int first = key - 16 * half;  // lane that sees this key
            const auto seen = static_cast<__mmask16>(first <= 0    ? 0xffff
                                                     : first >= 16 ? 0
                                                                   : 0xffff << first);
            e[half] = _mm512_maskz_mov_ps(seen, e[half]);
          }
          const __m512 dp = _mm512_load_ps(m.products + 4 * kScores + at);
          ds[half] = _mm512_mul_ps(e[half], _mm512_fmsub_ps(dp, value_scale, pull[half]));
        }
        _mm512_store_si512(m.p[panel] + row * 32, rounded(e[0], e[1]));
        const __m512i plain = rounded(ds[0], ds[1]);
        if constexpr (kQueryScales) {
          _mm512_store_si512(m.for_k[panel] + row * 32,
                             rounded(_mm512_mul_ps(ds[0], _mm512_load_ps(m.query_scales)),
                                     _mm512_mul_ps(ds[1], _mm512_load_ps(m.query_scales + 16))));
        } else {
          _mm512_store_si512(m.for_k[panel] + row * 32, plain);
        }
        if constexpr (kKeyScales) {
          const __m512 scale = broadcast(m.key_scales + key);
          to_query[odd] = rounded(_mm512_mul_ps(ds[0], scale), _mm512_mul_ps(ds[1], scale));
        } else {
          to_query[odd] = plain;
        }
      }
      const int64_t at = (8 * panel + r / 2) * 32;
      _mm512_store_si512(m.for_q[0] + at, _mm512_unpacklo_epi16(to_query[0], to_query[1]));
      _mm512_store_si512(m.for_q[1] + at, _mm512_unpackhi_epi16(to_query[0], to_query[1]));
    }
  }
}

template <bool kDiagonal>
void meet(const Meeting& m, bool key_scales, bool query_scales) {
  if (query_scales) {
    key_scales ? meet<kDiagonal, true, true>(m) : meet<kDiagonal, false, true>(m);
  } else {
    key_scales ? meet<kDiagonal, true, false>(m) : meet<kDiagonal, false, false>(m);
  }
}

}  // namespace
}  // namespace bitlaw::cpu::amx
