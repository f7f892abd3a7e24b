#include "ops/cpu/products_amx.h"

// GCC 12 takes the undefined vectors inside its own intrinsics for mistakes (bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"

#include <immintrin.h>

namespace bitlaw::cpu::amx {
namespace {

inline __mmask16 first16(int64_t n) {
  return n >= 16 ? 0xffff : n <= 0 ? 0 : static_cast<__mmask16>((1u << n) - 1);
}
inline __mmask32 first32(int64_t n) {
  return n >= 32 ? 0xffffffffu : n <= 0 ? 0 : (1u << n) - 1;
}

// ------------------------------------------------------------------------------------ tiling
// A tile in registers: sixteen rows of sixteen pairs.
struct Rows {
  __m512i row[16];
};

// Row i holds 32 consecutive numbers of x's row i, as they lie in memory.
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

}  // namespace

void tile_left(const uint16_t* x, int64_t ld, bool transposed, int64_t rows, int64_t K,
               uint16_t* out) {
  for (int64_t r = 0; r < rows; r += kRows) {
    for (int64_t k = 0; k < K; k += kStep, out += kTile) {
      store_tile(out, transposed ? transposed_pairs(load_pairs(x + k * ld + r, ld, K - k, rows - r))
                                 : load_rows(x + r * ld + k, ld, rows - r, K - k));
    }
  }
}

void tile_right(const uint16_t* x, int64_t ld, bool transposed, int64_t K, int64_t columns,
                uint16_t* out) {
  for (int64_t c = 0; c < columns; c += kRows) {
    for (int64_t k = 0; k < K; k += kStep, out += kTile) {
      store_tile(out, transposed
                          ? transposed_pairs(load_rows(x + c * ld + k, ld, columns - c, K - k))
                          : load_pairs(x + k * ld + c, ld, K - k, columns - c));
    }
  }
}

// ---------------------------------------------------------------------------------- gradients
namespace {

// Thirty-two floats to BF16, ties to even. Subnormal numbers become zero, as they would in a tile
// product.
inline __m512i rounded(__m512 low, __m512 high) {
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

inline __m512 load_floats(const float* x, __mmask16 mask) {
  return _mm512_maskz_loadu_ps(mask, x);
}

}  // namespace

void gradient_operands(const float* dy, int64_t ld, int64_t T, int64_t N, const float* row_scales,
                       const float* column_scales, uint16_t* g, uint16_t* h) {
  const int64_t ldg = padded(N), h_panel = steps(T) * kTile;
  const __m512i interleave =
      _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                       21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const __m512 one = _mm512_set1_ps(1.0f);
  for (int64_t t = 0; t < T; t += kStep) {
    for (int64_t n = 0; n < ldg; n += kStep) {
      const __mmask16 mask[2] = {first16(N - n), first16(N - n - 16)};
      const __m512 columns[2] = {
          column_scales == nullptr ? one : load_floats(column_scales + n, mask[0]),
          column_scales == nullptr ? one : load_floats(column_scales + n + 16, mask[1])};
      Rows pairs[2];
      for (int64_t i = 0; i < 16; ++i) {
        __m512 x[2][2] = {};  // [row][half]
        for (int64_t r = 0; r < 2; ++r) {
          const int64_t row = t + 2 * i + r;
          if (row >= T) continue;
          const float* from = dy + row * ld + n;
          if (row + kStep < T) {  // too many rows at once for the hardware to follow
            _mm_prefetch(from + kStep * ld, _MM_HINT_T1);
            _mm_prefetch(from + kStep * ld + 16, _MM_HINT_T1);
          }
          x[r][0] = load_floats(from, mask[0]);
          x[r][1] = load_floats(from + 16, mask[1]);
          if (g != nullptr) {
            const __m512i both =
                rounded(_mm512_mul_ps(x[r][0], columns[0]), _mm512_mul_ps(x[r][1], columns[1]));
            _mm512_storeu_si512(g + row * ldg + n, both);
          }
          if (row_scales != nullptr) {
            const __m512 scale = _mm512_set1_ps(row_scales[row]);
            x[r][0] = _mm512_mul_ps(x[r][0], scale);
            x[r][1] = _mm512_mul_ps(x[r][1], scale);
          }
        }
        for (int half = 0; half < 2; ++half) {
          pairs[half].row[i] =
              _mm512_permutexvar_epi16(interleave, rounded(x[0][half], x[1][half]));
        }
      }
      if (h == nullptr) continue;
      uint16_t* to = h + n / kRows * h_panel + t / kStep * kTile;
      store_tile(to, transposed_pairs(pairs[0]));
      if (n + 16 < N) store_tile(to + h_panel, transposed_pairs(pairs[1]));
    }
  }
}

// ------------------------------------------------------------------------------------ products
namespace {

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// What lies in a block's tiles goes to C through this buffer where there are scales or edges.
struct alignas(64) Block {
  float values[32][32];
};

void finish(const Product& p, const Block& block, int64_t m0, int64_t n0, int64_t rows,
            int64_t columns) {
  for (int64_t n = 0; n < columns; n += 16) {
    const __mmask16 mask = first16(columns - n);
    const __m512 column_scale = p.column_scales == nullptr
                                    ? _mm512_set1_ps(1.0f)
                                    : _mm512_maskz_loadu_ps(mask, p.column_scales + n0 + n);
    float* c = p.c + m0 * p.ldc + n0 + n;
    for (int64_t m = 0; m < rows; ++m, c += p.ldc) {
      const __m512 row_scale =
          _mm512_set1_ps(p.row_scales == nullptr ? 1.0f : p.row_scales[m0 + m]);
      __m512 y = _mm512_mul_ps(_mm512_load_ps(&block.values[m][n]),
                               _mm512_mul_ps(row_scale, column_scale));
      if (p.accumulate) y = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, c), y);
      _mm512_mask_storeu_ps(c, mask, y);
    }
  }
}

// While a block is multiplied, the lines of C that the next one ends in come closer, if C is too
// large to be near already: four rows with every step.
constexpr int64_t kDistantC = 1 << 16;  // elements
struct NextBlock {
  const char* line;  // of its first row, or null
  int64_t row_bytes;
};

// Tiles 0..3 are C, 4 and 5 A, 6 and 7 B. A block is P panels of A by Q panels of B.
template <int P, int Q>
inline void multiply_block(const Product& p, int64_t m0, int64_t n0, NextBlock next) {
  const uint16_t* a = p.a + m0 / kRows * p.a_panel;
  const uint16_t* b = p.b + n0 / kRows * p.b_panel;
  const int64_t rows = p.M - m0 < 16 * P ? p.M - m0 : 16 * P;
  const int64_t columns = p.N - n0 < 16 * Q ? p.N - n0 : 16 * Q;
  const bool direct =
      p.row_scales == nullptr && p.column_scales == nullptr && rows == 16 * P && columns == 16 * Q;
  const int64_t a_bytes = p.a_row * 2, c_bytes = p.ldc * 4;
  float* c = p.c + m0 * p.ldc + n0;

  if (direct && p.accumulate) {
    _tile_loadd(0, c, c_bytes);
    if constexpr (Q == 2) _tile_loadd(1, c + 16, c_bytes);
    if constexpr (P == 2) _tile_loadd(2, c + 16 * p.ldc, c_bytes);
    if constexpr (P == 2 && Q == 2) _tile_loadd(3, c + 16 * p.ldc + 16, c_bytes);
  } else {
    _tile_zero(0);
    if constexpr (Q == 2) _tile_zero(1);
    if constexpr (P == 2) _tile_zero(2);
    if constexpr (P == 2 && Q == 2) _tile_zero(3);
  }
  int64_t to_fetch = next.line == nullptr ? 0 : 32;
  for (int64_t s = 0; s < p.steps; ++s) {
    if (to_fetch > 0) {
      for (int i = 0; i < 4; ++i) {
        asm volatile("prefetchw (%0)\n\tprefetchw 64(%0)" ::"r"(next.line));
        next.line += next.row_bytes;
      }
      to_fetch -= 4;
    }
    _tile_loadd(4, a, a_bytes);
    _tile_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (Q == 2) {
      _tile_loadd(7, b + p.b_panel, 64);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (P == 2) {
      _tile_loadd(5, a + p.a_panel, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (Q == 2) _tile_dpbf16ps(3, 5, 7);
    }
    a += p.a_step;
    b += kTile;
  }
  if (direct) {
    _tile_stored(0, c, c_bytes);
    if constexpr (Q == 2) _tile_stored(1, c + 16, c_bytes);
    if constexpr (P == 2) _tile_stored(2, c + 16 * p.ldc, c_bytes);
    if constexpr (P == 2 && Q == 2) _tile_stored(3, c + 16 * p.ldc + 16, c_bytes);
    return;
  }
  Block block;
  _tile_stored(0, &block.values[0][0], 128);
  if constexpr (Q == 2) _tile_stored(1, &block.values[0][16], 128);
  if constexpr (P == 2) _tile_stored(2, &block.values[16][0], 128);
  if constexpr (P == 2 && Q == 2) _tile_stored(3, &block.values[16][16], 128);
  asm volatile("" ::: "memory");
  finish(p, block, m0, n0, rows, columns);
}

void multiply_at(const Product& p, int64_t m0, int64_t n0, int64_t next_m, int64_t next_n) {
  const bool two_rows = p.M - m0 > 16, two_columns = p.N - n0 > 16;
  const bool whole = next_m + 32 <= p.M && next_n + 32 <= p.N && p.M * p.N >= kDistantC;
  const NextBlock next{
      whole ? reinterpret_cast<const char*>(p.c + next_m * p.ldc + next_n) : nullptr, p.ldc * 4};
  if (two_rows) {
    two_columns ? multiply_block<2, 2>(p, m0, n0, next) : multiply_block<2, 1>(p, m0, n0, next);
  } else {
    two_columns ? multiply_block<1, 2>(p, m0, n0, next) : multiply_block<1, 1>(p, m0, n0, next);
  }
}

}  // namespace

void multiply(const Product& p) {
  static const TileConfig config;
  asm volatile("" ::: "memory");  // tile loads read what was written before
  _tile_loadconfig(&config);
  if (p.rows_first) {
    for (int64_t m0 = 0; m0 < p.M; m0 += 32) {
      for (int64_t n0 = 0; n0 < p.N; n0 += 32) {
        const bool last = n0 + 32 >= p.N;
        multiply_at(p, m0, n0, last ? m0 + 32 : m0, last ? 0 : n0 + 32);
      }
    }
  } else {
    for (int64_t n0 = 0; n0 < p.N; n0 += 32) {
      for (int64_t m0 = 0; m0 < p.M; m0 += 32) {
        const bool last = m0 + 32 >= p.M;
        multiply_at(p, m0, n0, last ? 0 : m0 + 32, last ? n0 + 32 : n0);
      }
    }
  }
  _tile_release();
  asm volatile("" ::: "memory");
}

}  // namespace bitlaw::cpu::amx
