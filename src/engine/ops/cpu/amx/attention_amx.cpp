#include "ops/cpu/amx/attention_amx.h"

// GCC 12 takes the undefined vectors inside its own intrinsics for mistakes (bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"

#include <immintrin.h>

#include "ops/cpu/amx/products_amx.h"
#include "ops/cpu/exponential_avx512.h"

namespace bitlaw::cpu::amx {
namespace {

constexpr int64_t kBlock = 32;        // queries and keys that meet at a time
constexpr int64_t kScores = 16 * 16;  // floats of a tile
constexpr float kLog2E = 1.44269504f, kLn2 = 0.693147181f;

inline int64_t blocks(int64_t T) {
  return (T + kBlock - 1) / kBlock;
}
inline int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}
inline __mmask16 first16(int64_t n) {
  return n >= 16 ? 0xffff : n <= 0 ? 0 : static_cast<__mmask16>((1u << n) - 1);
}

// ------------------------------------------------------------------------------------ memory

// Hands out parts of `scratch`; with none it only counts.
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

// x [T, dim] as the left side of products over dim: where it lies, if its sizes are a tile's.
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

// Whole tiles of right sides, faster than tile_right() of any: from 16 rows of 32 numbers, and from
// 32 rows of 32 numbers two of them.
inline void turn_tile(const uint16_t* x, int64_t ld, uint16_t* out) {
  __m512 rows[16];
  transpose(reinterpret_cast<const float*>(x), ld / 2, rows);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) _mm512_storeu_ps(out + 32 * i, rows[i]);
}
inline void pair_tiles(const uint16_t* x, int64_t ld, uint16_t* left, uint16_t* right) {
  const __m512i first = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
  const __m512i second = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
#pragma GCC unroll 4
  for (int i = 0; i < 16; ++i, x += 2 * ld) {
    const __m512i even = _mm512_loadu_si512(x), odd = _mm512_loadu_si512(x + ld);
    const __m512i low = _mm512_unpacklo_epi16(even, odd), high = _mm512_unpackhi_epi16(even, odd);
    _mm512_storeu_si512(left + 32 * i, _mm512_permutex2var_epi64(low, first, high));
    _mm512_storeu_si512(right + 32 * i, _mm512_permutex2var_epi64(low, second, high));
  }
}

// x [T, dim] as the right side of products over dim, its rows the columns; from block i of rows on,
// which lies at x, `rows` of them (at most 32).
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
      pair_tiles(x + c, ld, to, to + panel);
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

// What the next head will read and write, brought from memory into L2 a few lines at a time, between
// arithmetic: heads are too small and their rows too far apart for the hardware to foresee. A fifth
// of the forward pass inside a step; the backward pass, which writes more than it reads, gains
// nothing.
class Ahead {
 public:
  void clear() { count_ = used_ = 0, lines_ = 0; }
  // rows of row_bytes, `distance` bytes apart
  void add(const void* at, int64_t row_bytes, int64_t distance, int64_t rows) {
    parts_[count_++] = {static_cast<const char*>(at), row_bytes, distance, rows};
    lines_ += (row_bytes + 63) / 64 * rows;
  }
  void add(const void* at, int64_t bytes) { add(at, 64, 64, bytes / 64); }
  int64_t lines() const { return lines_; }

  inline __attribute__((always_inline)) void fetch(int64_t lines) {
    while (lines > 0 && used_ < count_) {
      Part& part = parts_[used_];
      for (int64_t c = 0; c < part.row_bytes; c += 64, --lines)
        _mm_prefetch(part.at + c, _MM_HINT_T1);
      part.at += part.distance;
      if (--part.rows <= 0) ++used_;
    }
  }

 private:
  struct Part {
    const char* at;
    int64_t row_bytes, distance, rows;
  };
  Part parts_[8];
  int count_ = 0, used_ = 0;
  int64_t lines_ = 0;
};

// ------------------------------------------------------------------------------------- tiles

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// The compiler knows nothing of what tile instructions read and write.
inline void barrier() {
  asm volatile("" ::: "memory");
}

class Tiles {  // in use while it lives
 public:
  Tiles() {
    static const TileConfig config;
    _tile_loadconfig(&config);
  }
  ~Tiles() { _tile_release(); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

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
// `a_step` of A on; C lies ldc apart. Two panels of A (at most 32 rows), columns two panels at a
// time.
template <int P, int Q>
inline void multiply_columns(const Tiled& A, const uint16_t* a, const Tiled& B, const uint16_t* b,
                             int64_t steps, bool accumulate, int64_t rows, int64_t columns,
                             float* c, int64_t ldc) {
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

// ----------------------------------------------------------------------------------- vectors

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

// Thirty-two floats to BF16, ties to even; subnormal numbers become zero, as they would in a tile
// product.
inline __m512i rounded(__m512 low, __m512 high) {
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

// ----------------------------------------------------------------------------------- forward

// Panels of sixteen queries at a time: their scores against all keys are to stay in the nearest
// cache.
inline int query_panels(int64_t T) {
  return T <= 384 ? 2 : 1;
}

struct ForwardMemory {
  uint16_t *q, *k, *v;  // q where it does not lie ready
  float *scores, *key_scales, *value_scales;
  int64_t bytes;

  ForwardMemory(const Attention& x, void* memory) {
    Arena arena(memory);
    const int64_t whole = blocks(x.T) * kBlock;
    q = arena.take<uint16_t>(left_rows_elements(x.T, x.dim));
    k = arena.take<uint16_t>(whole_blocks(x.T, x.dim));
    v = arena.take<uint16_t>(tiled_elements(x.dim, x.T));
    scores = arena.take<float>(query_panels(x.T) * kRows * whole);
    key_scales = arena.take<float>(whole);
    value_scales = arena.take<float>(whole);
    bytes = arena.bytes();
  }
};

// Raw products of P panels of queries, from a on, and `panels` panels of keys (an even number):
// tiles [keys][queries][16][16].
template <int P>
inline void raw_scores(const Tiled& queries, const uint16_t* a, const Tiled& keys, int64_t panels,
                       int64_t steps, float* to) {
  const uint16_t* b = keys.data;
  const int64_t a_bytes = queries.row * 2;
  if (steps <= 2) {  // the queries stay in tiles
    const bool two = steps == 2;
    _tile_loadd(4, a, a_bytes);
    if (two) _tile_loadd(5, a + queries.step, a_bytes);
    if constexpr (P == 2) {
      _tile_loadd(6, a + queries.panel, a_bytes);
      if (two) _tile_loadd(7, a + queries.panel + queries.step, a_bytes);
    }
    for (int64_t j = 0; j < panels; ++j, b += keys.panel, to += P * kScores) {
      _tile_stream_loadd(2, b, 64);
      _tile_zero(0);
      _tile_dpbf16ps(0, 4, 2);
      if constexpr (P == 2) {
        _tile_zero(1);
        _tile_dpbf16ps(1, 6, 2);
      }
      if (two) {
        _tile_stream_loadd(3, b + keys.step, 64);
        _tile_dpbf16ps(0, 5, 3);
        if constexpr (P == 2) _tile_dpbf16ps(1, 7, 3);
      }
      _tile_stored(0, to, 64);
      if constexpr (P == 2) _tile_stored(1, to + kScores, 64);
    }
    return;
  }
  for (int64_t j = 0; j < panels; j += 2, b += 2 * keys.panel, to += 2 * P * kScores) {
    zero_sums<P, 2>();
    add_products<P, 2>(queries, keys, a, b, steps);
    store_sums<P, 2>(to, kScores, P * kScores, 64);
  }
}

// Sixteen queries against the keys before them: tile j [16 queries, 16 keys] of raw products;
// query r sees all of tiles 0 .. last - 1 and keys 0 .. r of the last.
struct QueryRows {
  float* scores;
  int64_t distance;  // of tiles
  int64_t last;
  const float *key_scales, *value_scales;  // or null
  alignas(64) float factor[16];            // score = product key_scale factor, in units of ln 2

  float* tile(int64_t j) const { return scores + j * distance; }
  static __mmask16 seen(int r) { return static_cast<__mmask16>((2u << r) - 1); }
};

struct Yes {
  static constexpr bool value = true;
};
struct No {
  static constexpr bool value = false;
};
// f(j, Yes for the last tile)
template <class F>
inline __attribute__((always_inline)) void each_tile(const QueryRows& rows, F f) {
  for (int64_t j = 0; j < rows.last; ++j) f(j, No{});
  f(rows.last, Yes{});
}

// The largest score of every row.
template <bool kKeyScales>
inline __m512 tops(const QueryRows& rows) {
  __m512 top[16];
#pragma GCC unroll 16
  for (int r = 0; r < 16; ++r) top[r] = _mm512_set1_ps(-__builtin_inff());
  each_tile(
      rows, [&](int64_t j, auto diagonal) __attribute__((always_inline)) {
        const float* const s = rows.tile(j);
        __m512 scales;
        if constexpr (kKeyScales) scales = _mm512_load_ps(rows.key_scales + 16 * j);
#pragma GCC unroll 16
        for (int r = 0; r < 16; ++r) {
          __m512 x = _mm512_load_ps(s + 16 * r);
          if constexpr (kKeyScales) x = _mm512_mul_ps(x, scales);
          if constexpr (decltype(diagonal)::value) {
            top[r] = _mm512_mask_max_ps(top[r], QueryRows::seen(r), x, top[r]);
          } else {
            top[r] = _mm512_max_ps(x, top[r]);
          }
        }
      });
  return _mm512_mul_ps(largest_of(top), _mm512_load_ps(rows.factor));
}

// Products become 2^(score - shift); their sums.
template <bool kKeyScales>
inline __m512 exponentials(const QueryRows& rows, const float* shift, Ahead& ahead, int64_t lines) {
  __m512 total[16];
#pragma GCC unroll 16
  for (int r = 0; r < 16; ++r) total[r] = _mm512_setzero_ps();
  each_tile(
      rows, [&](int64_t j, auto diagonal) __attribute__((always_inline)) {
        float* const s = rows.tile(j);
        ahead.fetch(lines);
        __m512 scales;
        if constexpr (kKeyScales) scales = _mm512_load_ps(rows.key_scales + 16 * j);
#pragma GCC unroll 16
        for (int r = 0; r < 16; ++r) {
          __m512 x = _mm512_load_ps(s + 16 * r);
          if constexpr (kKeyScales) x = _mm512_mul_ps(x, scales);
          __m512 e =
              exponential2(_mm512_fmsub_ps(x, broadcast(rows.factor + r), broadcast(shift + r)));
          if constexpr (decltype(diagonal)::value) e = _mm512_maskz_mov_ps(QueryRows::seen(r), e);
          total[r] = _mm512_add_ps(total[r], e);
          _mm512_store_ps(s + 16 * r, e);
        }
      });
  return sums_of(total);
}

// Times `inverse` and the values' scales, in BF16: tiled A, one tile for 32 keys, in the place of
// the first of their two tiles.
template <bool kValueScales>
inline void normalize(const QueryRows& rows, const float* inverse) {
  for (int64_t j = 0; j <= rows.last; j += 2) {
    float* const s = rows.tile(j);
    const float* const high = rows.tile(j + 1);
    const bool pair = j < rows.last;
    const __mmask16 exist = pair ? 0xffff : 0;
    __m512 low_scales, high_scales;
    if constexpr (kValueScales) {
      low_scales = _mm512_load_ps(rows.value_scales + 16 * j);
      high_scales = _mm512_load_ps(rows.value_scales + 16 * j + 16);
    }
#pragma GCC unroll 16
    for (int r = 0; r < 16; ++r) {
      const __m512 by = broadcast(inverse + r);
      __m512 a = _mm512_mul_ps(_mm512_load_ps(s + 16 * r), by);
      __m512 b = _mm512_maskz_mul_ps(exist, _mm512_load_ps(high + 16 * r), by);
      if constexpr (kValueScales) {
        a = _mm512_mul_ps(a, low_scales);
        b = _mm512_mul_ps(b, high_scales);
      }
      _mm512_store_si512(s + 16 * r, rounded(a, b));
    }
  }
}

// Raw products become p; returns lse.
inline __m512 softmax(const QueryRows& rows, Ahead& ahead, int64_t lines) {
  const bool keys = rows.key_scales != nullptr;
  alignas(64) float per_row[16];
  const __m512 top = keys ? tops<true>(rows) : tops<false>(rows);
  _mm512_store_ps(per_row, top);
  const __m512 total = keys ? exponentials<true>(rows, per_row, ahead, lines)
                            : exponentials<false>(rows, per_row, ahead, lines);
  _mm512_store_ps(per_row, _mm512_div_ps(_mm512_set1_ps(1.0f), total));
  rows.value_scales != nullptr ? normalize<true>(rows, per_row) : normalize<false>(rows, per_row);
  return _mm512_fmadd_ps(top, _mm512_set1_ps(kLn2), logarithm(total));
}

// The rows of one head from row `begin` on, P panels of them.
template <int P>
void attend(const Attention& x, const ForwardMemory& memory, int64_t h, int64_t begin,
            const Tiled& queries, const Tiled& keys, const Tiled& values, float* out, float* lse,
            Ahead& ahead, int64_t lines) {
  const int64_t T = x.T, dim = x.dim, ldo = x.heads * dim;
  const int64_t first = begin / kRows, key_steps = (first + P + 1) / 2;
  const float root = kLog2E / __builtin_sqrtf(static_cast<float>(dim));
  barrier();
  raw_scores<P>(queries, queries.at(first, 0), keys, 2 * key_steps, steps(dim), memory.scores);
  barrier();
  for (int64_t panel = 0; panel < P && begin + 16 * panel < T; ++panel) {
    const int64_t row = begin + 16 * panel;
    QueryRows rows{memory.scores + panel * kScores,
                   P * kScores,
                   first + panel,
                   x.k.scales == nullptr ? nullptr : memory.key_scales,
                   x.v.scales == nullptr ? nullptr : memory.value_scales,
                   {}};
    const __mmask16 exist = first16(T - row);
    const __m512 scales = x.q.scales == nullptr
                              ? _mm512_set1_ps(1.0f)
                              : _mm512_maskz_loadu_ps(exist, x.q.scales + h * T + row);
    _mm512_store_ps(rows.factor, _mm512_mul_ps(scales, _mm512_set1_ps(root)));
    _mm512_mask_storeu_ps(lse + h * T + row, exist, softmax(rows, ahead, lines));
  }
  barrier();
  const Tiled p{reinterpret_cast<const uint16_t*>(memory.scores), 2 * kScores, 4 * P * kScores,
                kStep};
  multiply_rows<P>(p, p.data, values, 0, key_steps, false, least(16 * P, T - begin), dim,
                   out + begin * ldo + h * dim, ldo);
}

}  // namespace

int64_t attention_bytes(const Attention& x) {
  return ForwardMemory(x, nullptr).bytes;
}

void attention(const Attention& x, float* out, float* lse, void* scratch) {
  const auto [T, H, G, dim, q_codes, k_codes, v_codes] = x;
  const ForwardMemory memory(x, scratch);
  const int panels = query_panels(T);
  const Tiled keys = tiled(memory.k, dim), values = tiled(memory.v, T);
  const int64_t score_tiles = blocks(T) * (2 * blocks(T) + 1);  // of a head, at most
  const auto read_next = [&](int64_t h, Ahead& ahead) {
    ahead.clear();
    if (h == H) return;
    const int64_t group = H / G, g = h / group, bytes = T * dim * 2;
    if (h % group == 0) {
      ahead.add(k_codes.codes + g * T * dim, bytes);
      ahead.add(v_codes.codes + g * T * dim, bytes);
    }
    ahead.add(q_codes.codes + h * T * dim, bytes);
    ahead.add(out + h * dim, dim * 4, H * dim * 4, T);
  };
  Ahead ahead;
  read_next(0, ahead);
  ahead.fetch(ahead.lines());
  const Tiles tiles_in_use;
  for (int64_t g = 0; g < G; ++g) {
    right_sides(k_codes.codes + g * T * dim, T, dim, memory.k, nullptr);
    right_sides(v_codes.codes + g * T * dim, T, dim, nullptr, memory.v);
    fill_scales(k_codes.scales == nullptr ? nullptr : k_codes.scales + g * T, 1, T,
                memory.key_scales);
    fill_scales(v_codes.scales == nullptr ? nullptr : v_codes.scales + g * T, 1, T,
                memory.value_scales);
    for (int64_t h = g * (H / G); h < (g + 1) * (H / G); ++h) {
      const Tiled queries = left_rows(q_codes.codes + h * T * dim, T, dim, memory.q);
      read_next(h + 1, ahead);
      const int64_t lines = ahead.lines() / score_tiles + 1;  // while a tile is treated
      for (int64_t begin = 0; begin < T; begin += 16 * panels) {
        panels == 2 ? attend<2>(x, memory, h, begin, queries, keys, values, out, lse, ahead, lines)
                    : attend<1>(x, memory, h, begin, queries, keys, values, out, lse, ahead, lines);
      }
    }
  }
  barrier();
}

// ---------------------------------------------------------------------------------- backward
namespace {

// The tile unit and the vector units slow each other down where they alternate quickly (about 25 ns
// at each change), so each does a few meetings before the other.
constexpr int64_t kTogether = 2;
constexpr int64_t kMeeting = 8 * kScores;  // raw products and gradients of 32 keys and 32 queries

// Blocks of queries treated at once: what 32 keys have with them stays in the nearest cache.
constexpr int64_t kQueryBlocks = 8;

// dk and dv of 32 keys are complete as soon as they are written.
inline bool written_once(const Attention& x) {
  return x.heads == x.kv_heads && blocks(x.T) <= kQueryBlocks;
}

struct BackwardMemory {
  uint16_t *k, *k_transposed, *v;                  // of one key head; k and v if not ready
  uint16_t *q_columns, *q_rows;                    // of one query head
  uint16_t *dout, *dout_columns, *dout_rows;       // rounded; `dout` a block of it
  uint16_t *p, *for_k;                             // of 32 keys
  uint16_t* for_q;                                 // of some queries
  float *products, *key_scales, *value_scales;     // products of a few meetings
  float *factors, *query_scales, *shifts, *pulls;  // of one query head
  float *dq, *dk, *dv;                             // before they are rotated: 32 rows, or a head
  int64_t bytes;

  BackwardMemory(const Attention& x, void* memory) {
    Arena arena(memory);
    const int64_t whole = blocks(x.T) * kBlock;
    const int64_t some = least(blocks(x.T), kQueryBlocks) * kBlock;
    p = arena.take<uint16_t>(kBlock * some);
    for_k = arena.take<uint16_t>(kBlock * some);
    products = arena.take<float>(kTogether * kMeeting);
    dout = arena.take<uint16_t>(kBlock * padded(x.dim));
    k = arena.take<uint16_t>(left_rows_elements(x.T, x.dim));
    v = arena.take<uint16_t>(left_rows_elements(x.T, x.dim));
    k_transposed = arena.take<uint16_t>(tiled_elements(x.dim, x.T));
    q_columns = arena.take<uint16_t>(whole_blocks(x.T, x.dim));
    q_rows = arena.take<uint16_t>(tiled_elements(x.dim, x.T));
    dout_columns = arena.take<uint16_t>(whole_blocks(x.T, x.dim));
    dout_rows = arena.take<uint16_t>(tiled_elements(x.dim, x.T));
    for_q = arena.take<uint16_t>(some * whole);
    key_scales = arena.take<float>(whole);
    value_scales = arena.take<float>(whole);
    factors = arena.take<float>(whole);
    query_scales = arena.take<float>(whole);
    shifts = arena.take<float>(whole);
    pulls = arena.take<float>(whole);
    dq = arena.take<float>(kBlock * x.dim);
    dk = arena.take<float>(written_once(x) ? kBlock * x.dim : whole * x.dim);
    dv = arena.take<float>(written_once(x) ? kBlock * x.dim : whole * x.dim);
    bytes = arena.bytes();
  }
};

// bf16(dout) [T, dim] with rows padded(dim) apart, and pull = factor sum_c dout out. Sixteen rows.
inline void round_dout(const float* dout, const float* out, int64_t ld, int64_t rows, int64_t dim,
                       float factor, uint16_t* to, float* pull) {
  __m512 sum[16];
  for (int r = 0; r < 16; ++r) {
    sum[r] = _mm512_setzero_ps();
    if (r >= rows) continue;
    for (int64_t c = 0; c < dim; c += 32) {
      const __mmask16 low = first16(dim - c), high = first16(dim - c - 16);
      const float *x = dout + r * ld + c, *y = out + r * ld + c;
      const __m512 a = _mm512_maskz_loadu_ps(low, x), b = _mm512_maskz_loadu_ps(high, x + 16);
      sum[r] = _mm512_fmadd_ps(a, _mm512_maskz_loadu_ps(low, y), sum[r]);
      sum[r] = _mm512_fmadd_ps(b, _mm512_maskz_loadu_ps(high, y + 16), sum[r]);
      _mm512_storeu_si512(to + r * padded(dim) + c, rounded(a, b));
    }
  }
  _mm512_storeu_ps(pull, _mm512_mul_ps(sums_of(sum), _mm512_set1_ps(factor)));
}

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

// dq of 32 queries: dq^T = K^T ds^T over the keys up to them, then turned.
template <int P>
inline void query_gradients(const Tiled& keys, const Tiled& ds, int64_t steps, int64_t rows,
                            int64_t columns, float* dq, int64_t dim) {
  Edge sums;  // [dim, queries]
  zero_sums<P, 2>();
  add_products<P, 2>(keys, ds, keys.data, ds.data, steps);
  store_sums<P, 2>(&sums.values[0][0], 16 * 32, 16, 32 * 4);
  barrier();
  for (int p = 0; p < P; ++p) {
    const __mmask16 mask = first16(columns - 16 * p);
    for (int panel = 0; panel < 2; ++panel) {
      __m512 turned[16];
      transpose(&sums.values[16 * p][16 * panel], 32, turned);
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) {
        const int64_t row = query_of(panel, i);
        if (row < rows) _mm512_mask_storeu_ps(dq + row * dim + 16 * p, mask, turned[i]);
      }
    }
  }
  barrier();
}

// y = x [rows, dim] turned back by the angles of rope's rows, as Kernels::rotate does.
inline void rotate_back(const float* x, const float* rope, int64_t rows, int64_t dim, float* y,
                        int64_t ldy) {
  const int64_t half = dim / 2;
  for (int64_t r = 0; r < rows; ++r, x += dim, rope += dim, y += ldy) {
    for (int64_t c = 0; c < half; c += 16) {
      const __mmask16 mask = first16(half - c);
      const __m512 a = _mm512_maskz_loadu_ps(mask, x + c);
      const __m512 b = _mm512_maskz_loadu_ps(mask, x + half + c);
      const __m512 cosine = _mm512_maskz_loadu_ps(mask, rope + c);
      const __m512 sine = _mm512_maskz_loadu_ps(mask, rope + half + c);
      _mm512_mask_storeu_ps(y + c, mask, _mm512_fmadd_ps(b, sine, _mm512_mul_ps(a, cosine)));
      _mm512_mask_storeu_ps(y + half + c, mask,
                            _mm512_fnmadd_ps(a, sine, _mm512_mul_ps(b, cosine)));
    }
  }
}
inline void copy_rows(const float* x, int64_t rows, int64_t dim, float* y, int64_t ldy) {
  for (int64_t r = 0; r < rows; ++r, x += dim, y += ldy) {
    for (int64_t c = 0; c < dim; c += 16) {
      const __mmask16 mask = first16(dim - c);
      _mm512_mask_storeu_ps(y + c, mask, _mm512_maskz_loadu_ps(mask, x + c));
    }
  }
}

}  // namespace

int64_t attention_backward_bytes(const Attention& x) {
  return BackwardMemory(x, nullptr).bytes;
}

void attention_backward(const Attention& x, const float* out, const float* lse, const float* dout,
                        const Gradients& to, void* scratch) {
  const auto [T, H, G, dim, q_codes, k_codes, v_codes] = x;
  const BackwardMemory memory(x, scratch);
  const int64_t ldo = H * dim, ldd = padded(dim), ld = (H + 2 * G) * dim;  // of dqkv
  const bool merged = to.dqkv != nullptr;
  const float root = 1 / __builtin_sqrtf(static_cast<float>(dim));
  const float score_root = kLog2E / __builtin_sqrtf(static_cast<float>(dim));
  const bool key_scales = k_codes.scales != nullptr, query_scales = q_codes.scales != nullptr;
  const Tiles tiles_in_use;
  for (int64_t g = 0; g < G; ++g) {
    const uint16_t* const k_head = k_codes.codes + g * T * dim;
    const Tiled keys = left_rows(k_head, T, dim, memory.k);
    const Tiled values = left_rows(v_codes.codes + g * T * dim, T, dim, memory.v);
    tile_left(k_head, dim, true, dim, T, memory.k_transposed);
    const Tiled turned_keys = tiled(memory.k_transposed, T);
    fill_scales(key_scales ? k_codes.scales + g * T : nullptr, 1, T, memory.key_scales);
    fill_scales(v_codes.scales == nullptr ? nullptr : v_codes.scales + g * T, root, T,
                memory.value_scales);
    bool first = true;  // the last queries see every key: they write dk and dv, the others add
    for (int64_t h = g * (H / G); h < (g + 1) * (H / G); ++h) {
      const uint16_t* const q_head = q_codes.codes + h * T * dim;
      const float* const q_scales = query_scales ? q_codes.scales + h * T : nullptr;
      right_sides(q_head, T, dim, memory.q_columns, memory.q_rows);
      const Tiled q_columns = tiled(memory.q_columns, dim), q_rows = tiled(memory.q_rows, T);
      fill_scales(q_scales, score_root, T, memory.factors);
      fill_scales(q_scales, 1, T, memory.query_scales);
      const Tiled dout_columns = tiled(memory.dout_columns, dim);
      const Tiled dout_rows = tiled(memory.dout_rows, T);
      for (int64_t i = 0; i < blocks(T); ++i) {
        const int64_t row = i * kBlock, rows = least(kBlock, T - row);
        for (int64_t t = 0; t < kBlock; t += 16) {
          const int64_t offset = row + t < T ? (row + t) * ldo + h * dim : 0;
          round_dout(dout + offset, out + offset, ldo, rows - t, dim, root, memory.dout + t * ldd,
                     memory.pulls + row + t);
          const __m512 y = _mm512_maskz_loadu_ps(first16(rows - t), lse + h * T + row + t);
          _mm512_storeu_ps(memory.shifts + row + t, _mm512_mul_ps(y, _mm512_set1_ps(kLog2E)));
        }
        right_columns(memory.dout, ldd, rows, dim, i, memory.dout_columns);
        right_rows(memory.dout, ldd, T, rows, dim, i, memory.dout_rows);
      }
      clear_last_panel(T, dim, memory.dout_columns);

      for (int64_t end = blocks(T); end > 0;) {
        const int64_t begin = end > kQueryBlocks ? end - kQueryBlocks : 0, count = end - begin;
        // tiled A [32 keys, queries begin .. end), tiled B [keys 0 .. end, queries begin .. end)
        const Tiled p{memory.p, count * kTile, kTile, kStep};
        const Tiled for_k{memory.for_k, count * kTile, kTile, kStep};
        const Tiled for_q{memory.for_q, end * kTile, kTile, kStep};
        for (int64_t j = 0; j < end; ++j) {
          const int64_t seen_from = j > begin ? j : begin;
          for (int64_t i0 = seen_from; i0 < end; i0 += kTogether) {
            const int64_t i1 = least(i0 + kTogether, end);
            float* products = memory.products;
            barrier();
            for (int64_t i = i0; i < i1; ++i, products += kMeeting) {
              square(keys, 2 * j, q_columns, 2 * i, steps(dim), products);
              square(values, 2 * j, dout_columns, 2 * i, steps(dim), products + 4 * kScores);
            }
            barrier();
            products = memory.products;
            for (int64_t i = i0; i < i1; ++i, products += kMeeting) {
              const int64_t to_k = (i - begin) * kTile;
              const int64_t to_q = 2 * (i - begin) * for_q.panel + j * kTile;
              const Meeting meeting{products,
                                    memory.key_scales + j * kBlock,
                                    memory.value_scales + j * kBlock,
                                    memory.factors + i * kBlock,
                                    memory.query_scales + i * kBlock,
                                    memory.shifts + i * kBlock,
                                    memory.pulls + i * kBlock,
                                    {memory.p + to_k, memory.p + to_k + p.panel},
                                    {memory.for_k + to_k, memory.for_k + to_k + p.panel},
                                    {memory.for_q + to_q, memory.for_q + to_q + for_q.panel}};
              i == j ? meet<true>(meeting, key_scales, query_scales)
                     : meet<false>(meeting, key_scales, query_scales);
            }
          }
          barrier();
          const int64_t row = j * kBlock, rows = least(kBlock, T - row);
          const int64_t at = merged ? (written_once(x) ? 0 : row * dim) : (g * T + row) * dim;
          float* const dk = (merged ? memory.dk : to.dk) + at;
          float* const dv = (merged ? memory.dv : to.dv) + at;
          multiply_rows<2>(for_k, for_k.at(0, seen_from - begin), q_rows, seen_from,
                           end - seen_from, !first, rows, dim, dk, dim);
          multiply_rows<2>(p, p.at(0, seen_from - begin), dout_rows, seen_from, end - seen_from,
                           !first, rows, dim, dv, dim);
          const bool complete = j >= begin && (h + 1) % (H / G) == 0;  // later queries came first
          if (!merged || !complete) continue;
          barrier();
          float* const together = to.dqkv + row * ld + (H + g) * dim;
          rotate_back(dk, to.rope + row * dim, rows, dim, together, ld);
          copy_rows(dv, rows, dim, together + G * dim, ld);
        }
        for (int64_t i = begin; i < end; ++i) {
          const int64_t row = i * kBlock, rows = least(kBlock, T - row);
          float* const dq = merged ? memory.dq : to.dq + (h * T + row) * dim;
          const Tiled ds = for_q.from(2 * (i - begin));
          for (int64_t c = 0; c < dim; c += 32) {
            const Tiled turned = turned_keys.from(c / 16);
            if (dim - c > 16) {
              query_gradients<2>(turned, ds, i + 1, rows, dim - c, dq + c, dim);
            } else {
              query_gradients<1>(turned, ds, i + 1, rows, dim - c, dq + c, dim);
            }
          }
          if (merged)
            rotate_back(dq, to.rope + row * dim, rows, dim, to.dqkv + row * ld + h * dim, ld);
        }
        first = false;
        end = begin;
      }
    }
  }
  barrier();
}

void powers_of_two(const float* x, int64_t n, float* y) {
  for (int64_t i = 0; i < n; i += 16) _mm512_storeu_ps(y + i, exponential2(_mm512_loadu_ps(x + i)));
}

void logarithms(const float* x, int64_t n, float* y) {
  for (int64_t i = 0; i < n; i += 16) _mm512_storeu_ps(y + i, logarithm(_mm512_loadu_ps(x + i)));
}

}  // namespace bitlaw::cpu::amx
