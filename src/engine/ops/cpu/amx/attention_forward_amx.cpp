// Attention forward: the scores of sixteen or 32 queries with all keys before them stay in L1 while
// they become probabilities.
#include "ops/cpu/amx/attention_amx.h"
#include "ops/cpu/amx/attention_products_amx.h"
#include "ops/cpu/amx/attention_vectors_amx.h"

namespace bitlaw::cpu::amx {
namespace {

// What the next head will read and write, brought from memory into L2 a few lines at a time,
// between arithmetic: heads are too small and their rows too far apart for the hardware to foresee.
// A fifth of the forward pass inside a step; the backward pass, which writes more than it reads,
// gains nothing.
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

// Panels of sixteen queries at a time: their scores against all keys are to stay in the nearest
// cache.
inline int query_panels(int64_t T) {
  return T <= 384 ? 2 : 1;
}

struct ForwardMemory {
  uint16_t *q, *k, *v;  // q unless it can be used in place
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
  const int64_t T = x.T, H = x.heads, G = x.kv_heads, dim = x.dim;
  const HeadCodes &q_codes = x.q, &k_codes = x.k, &v_codes = x.v;
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

}  // namespace bitlaw::cpu::amx
