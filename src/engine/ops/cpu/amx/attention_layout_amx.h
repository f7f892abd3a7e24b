// Layouts of attention's matrices for the tile unit: q, k, v and dout as left and right sides of
// products, and the scratch memory for them.
#pragma once

#include "ops/cpu/amx/products_amx.h"
#include "ops/cpu/amx/tile_unit_amx.h"

namespace bitlaw::cpu::amx {
namespace {

constexpr int64_t kBlock = 32;        // queries and keys that meet at a time
constexpr int64_t kScores = 16 * 16;  // floats of a tile

inline int64_t blocks(int64_t T) {
  return (T + kBlock - 1) / kBlock;
}
inline int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// Allocates parts of `scratch`; if that is null it only counts bytes.
class Arena {
 public:
  explicit Arena(void* memory) : memory_(static_cast<char*>(memory)) {}

  template <class T>
  T* take(int64_t elements) {
    T* const out = memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + bytes_);
    bytes_ += (elements * static_cast<int64_t>(sizeof(T)) + 63) / 64 * 64;
    return out;
  }
  int64_t bytes() const { return bytes_; }

 private:
  char* memory_;
  int64_t bytes_ = 0;
};

// An operand of tile products: panels of sixteen rows (or columns), steps of 32 numbers.
struct Tiled {
  const uint16_t* data;
  int64_t panel, step, row;  // distances in elements

  const uint16_t* at(int64_t p, int64_t s) const { return data + p * panel + s * step; }
  Tiled from(int64_t p) const { return {at(p, 0), panel, step, row}; }
};

inline Tiled tiled(const uint16_t* data, int64_t K) {
  return {data, steps(K) * kTile, kTile, kStep};
}

// Elements of a tiled operand with its panels filled up to whole blocks.
inline int64_t whole_blocks(int64_t rows, int64_t K) {
  return 2 * blocks(rows) * steps(K) * kTile;
}
inline void clear_last_panel(int64_t rows, int64_t K, uint16_t* x) {
  const int64_t elements = steps(K) * kTile;
  if (panels(rows) % 2 == 0) return;
  uint16_t* const panel = x + panels(rows) * elements;
  for (int64_t i = 0; i < elements; i += 32) _mm512_storeu_si512(panel + i, _mm512_setzero_si512());
}

// x [T, dim] as the left side of products over dim: in place if its sizes are multiples of a
// tile's.
inline bool lies_ready(int64_t T, int64_t dim) {
  return T % kBlock == 0 && dim % kStep == 0;
}
inline Tiled left_rows(const uint16_t* x, int64_t T, int64_t dim, uint16_t* memory) {
  if (lies_ready(T, dim)) return {x, kRows * dim, kStep, dim};
  tile_left(x, dim, false, T, dim, memory);
  clear_last_panel(T, dim, memory);
  return tiled(memory, dim);
}
inline int64_t left_rows_elements(int64_t T, int64_t dim) {
  return lies_ready(T, dim) ? 0 : whole_blocks(T, dim);
}

// Sixteen by sixteen floats (or pairs of BF16).
inline void transpose(const float* x, int64_t ld, __m512* y) {
  __m512 a[16], b[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    const __m512 low = _mm512_loadu_ps(x + i * ld), high = _mm512_loadu_ps(x + (i + 1) * ld);
    a[i] = _mm512_unpacklo_ps(low, high);
    a[i + 1] = _mm512_unpackhi_ps(low, high);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    for (int k = 0; k < 2; ++k) {
      const __m512d low = _mm512_castps_pd(a[i + k]), high = _mm512_castps_pd(a[i + k + 2]);
      b[i + 2 * k] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      b[i + 2 * k + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    a[i] = _mm512_shuffle_f32x4(b[i], b[i + 4], 0x88);
    a[i + 4] = _mm512_shuffle_f32x4(b[i], b[i + 4], 0xdd);
    a[i + 8] = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0x88);
    a[i + 12] = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    y[i] = _mm512_shuffle_f32x4(a[i], a[i + 8], 0x88);
    y[i + 8] = _mm512_shuffle_f32x4(a[i], a[i + 8], 0xdd);
    y[i + 4] = _mm512_shuffle_f32x4(a[i + 4], a[i + 12], 0x88);
    y[i + 12] = _mm512_shuffle_f32x4(a[i + 4], a[i + 12], 0xdd);
  }
}

// A whole tile of a right side from 16 rows of 32 numbers, faster than tile_right() of any.
inline __attribute__((always_inline)) void turn_tile(const uint16_t* x, int64_t ld, uint16_t* out) {
  __m512 rows[16];
  transpose(reinterpret_cast<const float*>(x), ld / 2, rows);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) _mm512_storeu_ps(out + 32 * i, rows[i]);
}

// x [T, dim] as the right side of products over dim, its rows the columns; from block i of rows on,
// which is at x, `rows` of them (at most 32).
inline void right_columns(const uint16_t* x, int64_t ld, int64_t rows, int64_t dim, int64_t i,
                          uint16_t* memory) {
  uint16_t* to = memory + 2 * i * steps(dim) * kTile;
  for (int64_t r = 0; r < rows; r += 16) {
    for (int64_t k = 0; k < dim; k += kStep, to += kTile) {
      if (rows - r >= 16 && dim - k >= kStep) {
        turn_tile(x + r * ld + k, ld, to);
      } else {
        tile_right(x + r * ld + k, ld, true, least(kStep, dim - k), least(16, rows - r), to);
      }
    }
  }
}
// The same as the right side of products over T.
inline void right_rows(const uint16_t* x, int64_t ld, int64_t T, int64_t rows, int64_t dim,
                       int64_t i, uint16_t* memory) {
  const int64_t panel = steps(T) * kTile;
  uint16_t* to = memory + i * kTile;
  for (int64_t c = 0; c < dim; c += 32, to += 2 * panel) {
    if (rows == kBlock && dim - c >= 32) {
      store_pairs(x + c, ld, to, to + panel);
    } else {
      tile_right(x + c, ld, false, rows, least(16, dim - c), to);
      if (dim - c > 16)
        tile_right(x + c + 16, ld, false, rows, least(16, dim - c - 16), to + panel);
    }
  }
}
// Both (or one, the other null) of a whole head [T, dim].
inline void right_sides(const uint16_t* x, int64_t T, int64_t dim, uint16_t* columns,
                        uint16_t* rows) {
  for (int64_t i = 0; i < blocks(T); ++i, x += kBlock * dim) {
    const int64_t count = least(kBlock, T - i * kBlock);
    if (columns != nullptr) right_columns(x, dim, count, dim, i, columns);
    if (rows != nullptr) right_rows(x, dim, T, count, dim, i, rows);
  }
  if (columns != nullptr) clear_last_panel(T, dim, columns);
}

// Scales of T rows times `factor`, up to a whole block.
inline void fill_scales(const float* scales, float factor, int64_t T, float* out) {
  const __m512 by = _mm512_set1_ps(factor);
  for (int64_t i = 0; i < blocks(T) * kBlock; i += 16) {
    const __m512 x = scales == nullptr ? _mm512_set1_ps(1.0f)
                                       : _mm512_maskz_loadu_ps(first16(T - i), scales + i);
    _mm512_storeu_ps(out + i, _mm512_mul_ps(x, by));
  }
}

}  // namespace
}  // namespace bitlaw::cpu::amx
