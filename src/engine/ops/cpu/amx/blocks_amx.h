// The order of blocks in a product on the tile unit, and the vector work that finishes them, for
// the files compiled for it (*_amx.cpp). Everything is in an unnamed namespace, as in
// simd_avx512.h.
#pragma once

#include "ops/cpu/amx/products_amx.h"
#include "ops/cpu/amx/tile_unit_amx.h"

namespace bitlaw::cpu::amx {
namespace {

// ------------------------------------------------------------------------------------ tiling
// A tile in registers: sixteen rows of sixteen pairs.
struct Rows {
  __m512i row[16];
};

// Row i contains 32 consecutive numbers of x's row i, as in memory.
inline Rows load_rows(const uint16_t* x, int64_t ld, int64_t rows, int64_t columns) {
  Rows t;
  const __mmask32 mask = first32(columns);
  for (int64_t i = 0; i < 16; ++i) {
    t.row[i] = i < rows ? _mm512_maskz_loadu_epi16(mask, x + i * ld) : _mm512_setzero_si512();
  }
  return t;
}

// Row i holds the pairs (x[2i][c], x[2i+1][c]) of sixteen columns c.
inline Rows load_pairs(const uint16_t* x, int64_t ld, int64_t rows, int64_t columns) {
  Rows t;
  const __mmask16 mask = first16(columns);
  for (int64_t i = 0; i < 16; ++i) {
    const __mmask16 even = 2 * i < rows ? mask : 0, odd = 2 * i + 1 < rows ? mask : 0;
    const __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(even, x + 2 * i * ld));
    const __m512i high = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(odd, x + (2 * i + 1) * ld));
    t.row[i] = _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
  }
  return t;
}

// 16 x 16 pairs: 4 x 4 blocks inside lanes of 128 bits, then the lanes.
inline Rows transposed_pairs(const Rows& in) {
  Rows a, b;
  for (int i = 0; i < 16; i += 2) {
    a.row[i] = _mm512_unpacklo_epi32(in.row[i], in.row[i + 1]);
    a.row[i + 1] = _mm512_unpackhi_epi32(in.row[i], in.row[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    b.row[i] = _mm512_unpacklo_epi64(a.row[i], a.row[i + 2]);
    b.row[i + 1] = _mm512_unpackhi_epi64(a.row[i], a.row[i + 2]);
    b.row[i + 2] = _mm512_unpacklo_epi64(a.row[i + 1], a.row[i + 3]);
    b.row[i + 3] = _mm512_unpackhi_epi64(a.row[i + 1], a.row[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    a.row[i] = _mm512_shuffle_i32x4(b.row[i], b.row[i + 4], 0x88);
    a.row[i + 4] = _mm512_shuffle_i32x4(b.row[i], b.row[i + 4], 0xdd);
    a.row[i + 8] = _mm512_shuffle_i32x4(b.row[i + 8], b.row[i + 12], 0x88);
    a.row[i + 12] = _mm512_shuffle_i32x4(b.row[i + 8], b.row[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; ++i) {
    b.row[i] = _mm512_shuffle_i32x4(a.row[i], a.row[i + 8], 0x88);
    b.row[i + 8] = _mm512_shuffle_i32x4(a.row[i], a.row[i + 8], 0xdd);
    b.row[i + 4] = _mm512_shuffle_i32x4(a.row[i + 4], a.row[i + 12], 0x88);
    b.row[i + 12] = _mm512_shuffle_i32x4(a.row[i + 4], a.row[i + 12], 0xdd);
  }
  return b;
}

inline void store_tile(uint16_t* out, const Rows& t) {
  for (int i = 0; i < 16; ++i) _mm512_storeu_si512(out + 32 * i, t.row[i]);
}

// The sixteen pairs (low[c], high[c]) as BF16.
inline __m512i rounded_pairs(__m512 low, __m512 high) {
  const __m512i interleave =
      _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                       21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(interleave, rounded(low, high));
}

// ------------------------------------------------------------------------------------ blocks
// A block's tiles go through this buffer if there are scales, edges or a gate.
struct alignas(64) Block {
  float values[32][32];
};

// The vector work on a finished block is done a few rows at a time between the tile products of the
// next block, because otherwise the two units of the core would wait for each other.
template <class Finish>  // finish(block, m0, n0, first row, last row)
class Pipeline {
 public:
  explicit Pipeline(Finish finish) : finish_(finish) {}
  // Rows of the last block per step of the next one.
  void start(int64_t steps) {
    rows_per_step_ = ((rows_ - done_ + steps - 1) / steps + 1) / 2 * 2;  // pairs of rows
  }
  void step() {
    if (done_ == rows_) return;
    const int64_t end = done_ + rows_per_step_ < rows_ ? done_ + rows_per_step_ : rows_;
    finish_(*last_, m_, n_, done_, end);
    done_ = end;
  }
  // Memory for the tiles of a block; the last one is finished.
  Block& take() {
    flush();
    last_ = last_ == &blocks_[0] ? &blocks_[1] : &blocks_[0];
    return *last_;
  }
  void set(int64_t m0, int64_t n0, int64_t rows) { m_ = m0, n_ = n0, rows_ = rows, done_ = 0; }
  void flush() {
    if (done_ < rows_) finish_(*last_, m_, n_, done_, rows_);
    done_ = rows_;
  }

 private:
  Finish finish_;
  Block blocks_[2];
  Block* last_ = &blocks_[0];
  int64_t m_ = 0, n_ = 0, rows_ = 0, done_ = 0, rows_per_step_ = 0;
};

// While a block is multiplied, the lines of C that the next one ends in come closer, if C is too
// large to be near already: at least four rows with every step.
constexpr int64_t kDistantC = 1 << 14;  // elements
struct NextBlock {
  const char* line;  // of its first row, or null
  int64_t row_bytes;
};

// Tiles 0..3 are C, 4 and 5 A, 6 and 7 B. A block is P panels of A by Q panels of B, the second of
// which is `second` elements after the first.
template <int P, int Q, class Finish>
inline void multiply_block(const Product& p, int64_t second, int64_t m0, int64_t n0, NextBlock next,
                           bool to_memory, Pipeline<Finish>& pipeline) {
  const uint16_t* a = p.a + m0 / kRows * p.a_panel;
  const uint16_t* b = p.b + n0 / kRows * p.b_panel;
  const int64_t rows = p.M - m0 < 16 * P ? p.M - m0 : 16 * P;
  const bool direct = to_memory && p.row_scales == nullptr && p.column_scales == nullptr &&
                      rows == 16 * P && p.N - n0 >= 16 * Q;
  const int64_t a_bytes = p.a_row * 2, c_bytes = p.ldc * 4;

  if (direct && p.addend != nullptr) {
    const float* from = p.addend + m0 * p.ldc + n0;
    _tile_loadd(0, from, c_bytes);
    if constexpr (Q == 2) _tile_loadd(1, from + 16, c_bytes);
    if constexpr (P == 2) _tile_loadd(2, from + 16 * p.ldc, c_bytes);
    if constexpr (P == 2 && Q == 2) _tile_loadd(3, from + 16 * p.ldc + 16, c_bytes);
  } else {
    _tile_zero(0);
    if constexpr (Q == 2) _tile_zero(1);
    if constexpr (P == 2) _tile_zero(2);
    if constexpr (P == 2 && Q == 2) _tile_zero(3);
  }
  pipeline.start(p.steps);
  int64_t to_fetch = next.line == nullptr ? 0 : 32;
  const int64_t rows_per_step = p.steps < 8 ? (32 + p.steps - 1) / p.steps : 4;
  for (int64_t s = 0; s < p.steps; ++s) {
    for (int64_t i = 0; i < rows_per_step && to_fetch > 0; ++i, --to_fetch) {
      asm volatile("prefetchw (%0)\n\tprefetchw 64(%0)" ::"r"(next.line));
      next.line += next.row_bytes;
    }
    _tile_loadd(4, a, a_bytes);
    _tile_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (Q == 2) {
      _tile_loadd(7, b + second, 64);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (P == 2) {
      _tile_loadd(5, a + p.a_panel, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (Q == 2) _tile_dpbf16ps(3, 5, 7);
    }
    a += p.a_step;
    b += kTile;
    pipeline.step();
  }
  if (direct) {
    float* c = p.c + m0 * p.ldc + n0;
    _tile_stored(0, c, c_bytes);
    if constexpr (Q == 2) _tile_stored(1, c + 16, c_bytes);
    if constexpr (P == 2) _tile_stored(2, c + 16 * p.ldc, c_bytes);
    if constexpr (P == 2 && Q == 2) _tile_stored(3, c + 16 * p.ldc + 16, c_bytes);
    return;
  }
  Block& block = pipeline.take();
  _tile_stored(0, &block.values[0][0], 128);
  if constexpr (Q == 2) _tile_stored(1, &block.values[0][16], 128);
  if constexpr (P == 2) _tile_stored(2, &block.values[16][0], 128);
  if constexpr (P == 2 && Q == 2) _tile_stored(3, &block.values[16][16], 128);
  barrier();
  pipeline.set(m0, n0, rows);
}

// The blocks of C in the order in which they are made: `rows_at_once` rows at a time, and inside
// those down the columns.
class Walk {
 public:
  Walk(int64_t M, int64_t N, int64_t rows_at_once, int64_t columns)
      : M_(M), N_(N), rows_(rows_at_once), columns_(columns) {}
  bool inside() const { return m < M_; }
  void next() {
    m += 32;
    if (m < begin_ + rows_ && m < M_) return;
    m = begin_;
    n += columns_;
    if (n < N_) return;
    n = 0;
    m = begin_ += rows_;
  }
  int64_t m = 0, n = 0;

 private:
  int64_t M_, N_, rows_, columns_, begin_ = 0;
};

// All blocks of a product into the pipeline.
template <class Finish>
inline void multiply_blocks(const Product& p, bool to_memory, Pipeline<Finish>& pipeline) {
  const Tiles tiles;
  Walk at(p.M, p.N, p.rows_at_once, 32);
  for (Walk ahead = at; at.inside(); at = ahead) {
    ahead.next();
    const bool whole =
        to_memory && ahead.m + 32 <= p.M && ahead.n + 32 <= p.N && p.M * p.N > kDistantC;
    const NextBlock next{
        whole ? reinterpret_cast<const char*>(p.c + ahead.m * p.ldc + ahead.n) : nullptr,
        p.ldc * 4};
    const bool two_rows = p.M - at.m > 16, two_columns = p.N - at.n > 16;
    if (two_rows && two_columns) {
      multiply_block<2, 2>(p, p.b_panel, at.m, at.n, next, to_memory, pipeline);
    } else if (two_rows) {
      multiply_block<2, 1>(p, p.b_panel, at.m, at.n, next, to_memory, pipeline);
    } else if (two_columns) {
      multiply_block<1, 2>(p, p.b_panel, at.m, at.n, next, to_memory, pipeline);
    } else {
      multiply_block<1, 1>(p, p.b_panel, at.m, at.n, next, to_memory, pipeline);
    }
  }
  pipeline.flush();
}

}  // namespace
}  // namespace bitlaw::cpu::amx
