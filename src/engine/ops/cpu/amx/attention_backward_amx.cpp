// Attention backward: blocks of 32 keys with the queries that attend to them.
#include "ops/cpu/amx/attention_amx.h"
#include "ops/cpu/amx/attention_meeting_amx.h"
#include "ops/cpu/amx/attention_products_amx.h"

namespace bitlaw::cpu::amx {
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

// dq of 32 queries: dq^T = K^T ds^T over the keys up to them, then turned.
template <int P>
inline __attribute__((always_inline)) void query_gradients(const Tiled& keys, const Tiled& ds,
                                                           int64_t steps, int64_t rows,
                                                           int64_t columns, float* dq,
                                                           int64_t dim) {
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

// One call. The last queries see every key, so blocks of queries are taken from the end: the last
// ones write dk and dv of their key head, the others add.
class Backward {
 public:
  Backward(const Attention& x, const float* out, const float* lse, const float* dout,
           const Gradients& to, void* scratch)
      : x_(x),
        out_(out),
        lse_(lse),
        dout_(dout),
        to_(to),
        memory_(x, scratch),
        q_columns_(tiled(memory_.q_columns, x.dim)),
        q_rows_(tiled(memory_.q_rows, x.T)),
        dout_columns_(tiled(memory_.dout_columns, x.dim)),
        dout_rows_(tiled(memory_.dout_rows, x.T)),
        turned_keys_(tiled(memory_.k_transposed, x.T)) {}

  void run() {
    const int64_t group = x_.heads / x_.kv_heads;
    for (int64_t g = 0; g < x_.kv_heads; ++g) {
      lay_out_keys(g);
      bool first = true;
      for (int64_t h = g * group; h < (g + 1) * group; ++h) {
        lay_out_queries(h);
        lay_out_gradients(h);
        for (int64_t end = blocks(x_.T); end > 0; first = false) {
          const int64_t begin = end > kQueryBlocks ? end - kQueryBlocks : 0;
          const Queries queries(memory_, begin, end);
          for (int64_t j = 0; j < end; ++j) {
            meet_queries(queries, j);
            // Later queries came first.
            const bool complete = j >= begin && (h + 1) % group == 0;
            write_key_gradients(queries, g, j, first, complete);
          }
          for (int64_t i = begin; i < end; ++i) write_query_gradients(queries, h, i);
          end = begin;
        }
      }
    }
    barrier();
  }

 private:
  // Blocks begin .. end of queries, and what their meetings leave.
  struct Queries {
    int64_t begin, end;
    Tiled p, for_k;  // tiled A [32 keys, queries begin .. end)
    Tiled for_q;     // tiled B [keys 0 .. end, queries begin .. end)

    Queries(const BackwardMemory& memory, int64_t first, int64_t last)
        : begin(first),
          end(last),
          p{memory.p, (last - first) * kTile, kTile, kStep},
          for_k{memory.for_k, (last - first) * kTile, kTile, kStep},
          for_q{memory.for_q, last * kTile, kTile, kStep} {}
    int64_t seen_from(int64_t j) const { return j > begin ? j : begin; }
  };

  bool merged() const { return to_.dqkv != nullptr; }
  int64_t merged_columns() const { return (x_.heads + 2 * x_.kv_heads) * x_.dim; }
  float root() const { return __builtin_sqrtf(static_cast<float>(x_.dim)); }
  static const float* from(const float* scales, int64_t row) {
    return scales == nullptr ? nullptr : scales + row;
  }
  int64_t rows_of(int64_t block) const { return least(kBlock, x_.T - block * kBlock); }

  void lay_out_keys(int64_t g) {
    const int64_t T = x_.T, dim = x_.dim;
    const uint16_t* const head = x_.k.codes + g * T * dim;
    keys_ = left_rows(head, T, dim, memory_.k);
    values_ = left_rows(x_.v.codes + g * T * dim, T, dim, memory_.v);
    tile_left(head, dim, true, dim, T, memory_.k_transposed);
    fill_scales(from(x_.k.scales, g * T), 1, T, memory_.key_scales);
    fill_scales(from(x_.v.scales, g * T), 1 / root(), T, memory_.value_scales);
  }

  void lay_out_queries(int64_t h) {
    const int64_t T = x_.T, dim = x_.dim;
    const float* const scales = from(x_.q.scales, h * T);
    right_sides(x_.q.codes + h * T * dim, T, dim, memory_.q_columns, memory_.q_rows);
    fill_scales(scales, kLog2E / root(), T, memory_.factors);
    fill_scales(scales, 1, T, memory_.query_scales);
  }

  // dout, rounded, and what a softmax takes off its gradient.
  void lay_out_gradients(int64_t h) {
    const int64_t T = x_.T, dim = x_.dim, ldo = x_.heads * dim, ldd = padded(dim);
    for (int64_t i = 0; i < blocks(T); ++i) {
      const int64_t row = i * kBlock, rows = rows_of(i);
      for (int64_t t = 0; t < kBlock; t += 16) {
        const int64_t offset = row + t < T ? (row + t) * ldo + h * dim : 0;
        round_dout(dout_ + offset, out_ + offset, ldo, rows - t, dim, 1 / root(),
                   memory_.dout + t * ldd, memory_.pulls + row + t);
        const __m512 y = _mm512_maskz_loadu_ps(first16(rows - t), lse_ + h * T + row + t);
        _mm512_storeu_ps(memory_.shifts + row + t, _mm512_mul_ps(y, _mm512_set1_ps(kLog2E)));
      }
      right_columns(memory_.dout, ldd, rows, dim, i, memory_.dout_columns);
      right_rows(memory_.dout, ldd, T, rows, dim, i, memory_.dout_rows);
    }
    clear_last_panel(T, dim, memory_.dout_columns);
  }

  // Block j of keys with all queries that see it.
  void meet_queries(const Queries& queries, int64_t j) {
    for (int64_t i0 = queries.seen_from(j); i0 < queries.end; i0 += kTogether) {
      const int64_t i1 = least(i0 + kTogether, queries.end);
      float* products = memory_.products;
      barrier();
      for (int64_t i = i0; i < i1; ++i, products += kMeeting) {
        square(keys_, 2 * j, q_columns_, 2 * i, steps(x_.dim), products);
        square(values_, 2 * j, dout_columns_, 2 * i, steps(x_.dim), products + 4 * kScores);
      }
      barrier();
      products = memory_.products;
      for (int64_t i = i0; i < i1; ++i, products += kMeeting) {
        const Meeting meeting = meeting_of(queries, i, j, products);
        const bool key_scales = x_.k.scales != nullptr, query_scales = x_.q.scales != nullptr;
        i == j ? meet<true>(meeting, key_scales, query_scales)
               : meet<false>(meeting, key_scales, query_scales);
      }
    }
    barrier();
  }

  Meeting meeting_of(const Queries& queries, int64_t i, int64_t j, const float* products) const {
    const int64_t to_k = (i - queries.begin) * kTile;
    const int64_t to_q = 2 * (i - queries.begin) * queries.for_q.panel + j * kTile;
    return {products,
            memory_.key_scales + j * kBlock,
            memory_.value_scales + j * kBlock,
            memory_.factors + i * kBlock,
            memory_.query_scales + i * kBlock,
            memory_.shifts + i * kBlock,
            memory_.pulls + i * kBlock,
            {memory_.p + to_k, memory_.p + to_k + queries.p.panel},
            {memory_.for_k + to_k, memory_.for_k + to_k + queries.for_k.panel},
            {memory_.for_q + to_q, memory_.for_q + to_q + queries.for_q.panel}};
  }

  void write_key_gradients(const Queries& queries, int64_t g, int64_t j, bool first,
                           bool complete) {
    const int64_t dim = x_.dim, row = j * kBlock, rows = rows_of(j);
    const int64_t at = merged() ? (written_once(x_) ? 0 : row * dim) : (g * x_.T + row) * dim;
    float* const dk = (merged() ? memory_.dk : to_.dk) + at;
    float* const dv = (merged() ? memory_.dv : to_.dv) + at;
    const int64_t seen = queries.seen_from(j), step = seen - queries.begin;
    multiply_rows<2>(queries.for_k, queries.for_k.at(0, step), q_rows_, seen, queries.end - seen,
                     !first, rows, dim, dk, dim);
    multiply_rows<2>(queries.p, queries.p.at(0, step), dout_rows_, seen, queries.end - seen, !first,
                     rows, dim, dv, dim);
    if (!merged() || !complete) return;
    barrier();
    const int64_t ld = merged_columns();
    float* const together = to_.dqkv + row * ld + (x_.heads + g) * dim;
    rotate_back(dk, to_.rope + row * dim, rows, dim, together, ld);
    copy_rows(dv, rows, dim, together + x_.kv_heads * dim, ld);
  }

  void write_query_gradients(const Queries& queries, int64_t h, int64_t i) {
    const int64_t dim = x_.dim, row = i * kBlock, rows = rows_of(i);
    float* const dq = merged() ? memory_.dq : to_.dq + (h * x_.T + row) * dim;
    const Tiled ds = queries.for_q.from(2 * (i - queries.begin));
    for (int64_t c = 0; c < dim; c += 32) {
      const Tiled turned = turned_keys_.from(c / 16);
      if (dim - c > 16) {
        query_gradients<2>(turned, ds, i + 1, rows, dim - c, dq + c, dim);
      } else {
        query_gradients<1>(turned, ds, i + 1, rows, dim - c, dq + c, dim);
      }
    }
    if (!merged()) return;
    const int64_t ld = merged_columns();
    rotate_back(dq, to_.rope + row * dim, rows, dim, to_.dqkv + row * ld + h * dim, ld);
  }

  const Attention& x_;
  const float *out_, *lse_, *dout_;
  const Gradients& to_;
  const BackwardMemory memory_;
  const Tiles tiles_in_use_;
  const Tiled q_columns_, q_rows_, dout_columns_, dout_rows_, turned_keys_;
  Tiled keys_{}, values_{};
};

}  // namespace

int64_t attention_backward_bytes(const Attention& x) {
  return BackwardMemory(x, nullptr).bytes;
}

void attention_backward(const Attention& x, const float* out, const float* lse, const float* dout,
                        const Gradients& to, void* scratch) {
  Backward(x, out, lse, dout, to, scratch).run();
}

}  // namespace bitlaw::cpu::amx
