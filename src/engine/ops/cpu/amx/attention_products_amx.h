// Attention's products on the tile unit: blocks of two panels by two, from operands in the layouts
// of attention_layout_amx.h.
#pragma once

#include "ops/cpu/amx/attention_layout_amx.h"

namespace bitlaw::cpu::amx {
namespace {

// Tiles 0..3 are C, P panels of A by Q panels of B; 4 and 5 are A, 6 and 7 are B.
template <int P, int Q>
inline void zero_sums() {
  _tile_zero(0);
  if constexpr (Q == 2) _tile_zero(1);
  if constexpr (P == 2) _tile_zero(2);
  if constexpr (P == 2 && Q == 2) _tile_zero(3);
}
template <int P, int Q>
inline void load_sums(const float* c, int64_t panel, int64_t column, int64_t row_bytes) {
  _tile_loadd(0, c, row_bytes);
  if constexpr (Q == 2) _tile_loadd(1, c + column, row_bytes);
  if constexpr (P == 2) _tile_loadd(2, c + panel, row_bytes);
  if constexpr (P == 2 && Q == 2) _tile_loadd(3, c + panel + column, row_bytes);
}
template <int P, int Q>
inline void store_sums(float* c, int64_t panel, int64_t column, int64_t row_bytes) {
  _tile_stored(0, c, row_bytes);
  if constexpr (Q == 2) _tile_stored(1, c + column, row_bytes);
  if constexpr (P == 2) _tile_stored(2, c + panel, row_bytes);
  if constexpr (P == 2 && Q == 2) _tile_stored(3, c + panel + column, row_bytes);
}
// B passes by the nearest cache, which is for what is written and read again.
template <int P, int Q>
inline void add_products(const Tiled& A, const Tiled& B, const uint16_t* a, const uint16_t* b,
                         int64_t steps) {
  const int64_t a_bytes = A.row * 2;
  for (int64_t s = 0; s < steps; ++s, a += A.step, b += B.step) {
    _tile_loadd(4, a, a_bytes);
    _tile_stream_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (Q == 2) {
      _tile_stream_loadd(7, b + B.panel, 64);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (P == 2) {
      _tile_loadd(5, a + A.panel, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (Q == 2) _tile_dpbf16ps(3, 5, 7);
    }
  }
}

// Four tiles of floats [2][2][16][16] = rows of A's two panels . columns of B's two.
inline void square(const Tiled& A, int64_t a_panel, const Tiled& B, int64_t b_panel, int64_t steps,
                   float* to) {
  zero_sums<2, 2>();
  add_products<2, 2>(A, B, A.at(a_panel, 0), B.at(b_panel, 0), steps);
  store_sums<2, 2>(to, 2 * kScores, kScores, 64);
}

struct alignas(64) Edge {
  float values[32][32];
};

// C [rows, columns] (+)= A B over `steps`, from panels a_panel and b_panel and step s0 of B and
// `a_step` of A on; C has row stride ldc. Two panels of A (at most 32 rows), columns two panels at
// a time.
template <int P, int Q>
inline __attribute__((always_inline)) void multiply_columns(const Tiled& A, const uint16_t* a,
                                                            const Tiled& B, const uint16_t* b,
                                                            int64_t steps, bool accumulate,
                                                            int64_t rows, int64_t columns, float* c,
                                                            int64_t ldc) {
  const bool whole = rows == 16 * P && columns >= 16 * Q;
  if (whole && accumulate) {
    load_sums<P, Q>(c, 16 * ldc, 16, ldc * 4);
  } else {
    zero_sums<P, Q>();
  }
  add_products<P, Q>(A, B, a, b, steps);
  if (whole) return store_sums<P, Q>(c, 16 * ldc, 16, ldc * 4);
  Edge edge;
  store_sums<P, Q>(&edge.values[0][0], 16 * 32, 16, 32 * 4);
  barrier();
  for (int64_t column = 0; column < least(columns, 16 * Q); column += 16) {
    const __mmask16 mask = first16(columns - column);
    for (int64_t r = 0; r < rows; ++r) {
      float* const to = c + r * ldc + column;
      __m512 y = _mm512_load_ps(&edge.values[r][column]);
      if (accumulate) y = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, to), y);
      _mm512_mask_storeu_ps(to, mask, y);
    }
  }
  barrier();
}

template <int P>
inline void multiply_rows(const Tiled& A, const uint16_t* a, const Tiled& B, int64_t b_step,
                          int64_t steps, bool accumulate, int64_t rows, int64_t columns, float* c,
                          int64_t ldc) {
  for (int64_t n = 0; n < columns; n += 32) {
    const uint16_t* const b = B.at(n / 16, b_step);
    if (columns - n > 16) {
      multiply_columns<P, 2>(A, a, B, b, steps, accumulate, rows, columns - n, c + n, ldc);
    } else {
      multiply_columns<P, 1>(A, a, B, b, steps, accumulate, rows, columns - n, c + n, ldc);
    }
  }
}

}  // namespace
}  // namespace bitlaw::cpu::amx
