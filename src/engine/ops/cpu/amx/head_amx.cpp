#include "ops/cpu/amx/head_amx.h"

#include "ops/cpu/amx/blocks_amx.h"
#include "ops/cpu/exponential_avx512.h"

namespace bitlaw::cpu::amx {
namespace {

// Two vectors of a row of a block: columns n0 .. n0 + 32.
struct Columns {
  __mmask16 valid[2];
  explicit Columns(int64_t count) : valid{first16(count), first16(count - 16)} {}
};

template <bool kKept>
struct Exponentials {
  const Logits& logits;
  float *sums, *target_logits, *kept;

  void operator()(const Block& block, int64_t m0, int64_t n0, int64_t begin, int64_t end) const {
    const int64_t N = logits.product.N, count = N - n0 < 32 ? N - n0 : 32;
    const Columns columns(count);
    const __m512 log2e = _mm512_set1_ps(kLog2E);
    for (int64_t r = begin; r < end; ++r) {
      const int64_t t = m0 + r;
      const __m512 shift = _mm512_set1_ps(logits.shift[t]);
      const float* row = block.values[r];
      const __m512 a = exponential2(_mm512_fmsub_ps(_mm512_load_ps(row), log2e, shift)),
                   b = exponential2(_mm512_fmsub_ps(_mm512_load_ps(row + 16), log2e, shift));
      __m512 sum = _mm512_loadu_ps(sums + 16 * t);
      sum = _mm512_mask_add_ps(sum, columns.valid[0], sum, a);
      sum = _mm512_mask_add_ps(sum, columns.valid[1], sum, b);
      _mm512_storeu_ps(sums + 16 * t, sum);
      if constexpr (kKept) {
        _mm512_mask_storeu_ps(kept + t * N + n0, columns.valid[0], a);
        _mm512_mask_storeu_ps(kept + t * N + n0 + 16, columns.valid[1], b);
      }
      const int64_t target = logits.targets[t] - logits.first - n0;
      if (static_cast<uint64_t>(target) < static_cast<uint64_t>(count))
        target_logits[t] = row[target];
    }
  }
};

// Rows of a block of at most 32 rows and 32 columns, which become gradients.
class GradientBlock {
 public:
  GradientBlock(const GradientTargets& to, float scale) : to_(to), one_(_mm512_set1_ps(scale)) {}

  // Row t: exponentials times `factor`, less the scale at `target` of the block's columns.
  inline __attribute__((always_inline)) void row(__m512 low, __m512 high, __m512 factor,
                                                 uint64_t target, int64_t t, int64_t n0,
                                                 const Columns& columns, __m512 (&x)[2]) const {
    const uint32_t at = target < 32 ? 1u << target : 0;
    x[0] = _mm512_maskz_mul_ps(columns.valid[0], low, factor);
    x[1] = _mm512_maskz_mul_ps(columns.valid[1], high, factor);
    x[0] = _mm512_mask_sub_ps(x[0], static_cast<__mmask16>(at), x[0], one_);
    x[1] = _mm512_mask_sub_ps(x[1], static_cast<__mmask16>(at >> 16), x[1], one_);
    _mm512_mask_storeu_epi16(to_.g + t * to_.ldg + n0, first32(to_.g_columns - n0),
                             rounded(x[0], x[1]));
  }

  // Rows r and r + 1 of the block, or only the first of them.
  inline __attribute__((always_inline)) void pair(int64_t r, const __m512 (&x)[2][2]) {
    for (int half = 0; half < 2; ++half)
      pairs_[half].row[r / 2] = rounded_pairs(x[0][half], x[1][half]);
  }

  // After the last row.
  void finish(int64_t rows, int64_t m0, int64_t n0, int64_t N) {
    for (int half = 0; half < 2; ++half) {
      for (int64_t pair = (rows + 1) / 2; pair < 16; ++pair)
        pairs_[half].row[pair] = _mm512_setzero_si512();
      if (n0 + 16 * half >= N) continue;
      store_tile(to_.h + (n0 / kRows + half) * to_.h_panel + m0 / kStep * kTile,
                 transposed_pairs(pairs_[half]));
    }
  }

 private:
  const GradientTargets to_;
  const __m512 one_;
  Rows pairs_[2];  // its halves' rows in pairs
};

struct Gradients {
  const Logits& logits;
  const float* factor;
  GradientBlock& to;

  void row(const float* values, int64_t t, int64_t n0, const Columns& columns,
           __m512 (&x)[2]) const {
    const __m512 log2e = _mm512_set1_ps(kLog2E), shift = _mm512_set1_ps(logits.shift[t]);
    to.row(exponential2(_mm512_fmsub_ps(_mm512_load_ps(values), log2e, shift)),
           exponential2(_mm512_fmsub_ps(_mm512_load_ps(values + 16), log2e, shift)),
           _mm512_set1_ps(factor[t]), static_cast<uint64_t>(logits.targets[t] - logits.first - n0),
           t, n0, columns, x);
  }

  void operator()(const Block& block, int64_t m0, int64_t n0, int64_t begin, int64_t end) const {
    const Product& p = logits.product;
    const int64_t rows = p.M - m0 < 32 ? p.M - m0 : 32;
    const Columns columns(p.N - n0);
    for (int64_t r = begin; r < end; r += 2) {
      __m512 x[2][2] = {};  // [row][half]
      row(block.values[r], m0 + r, n0, columns, x[0]);
      if (r + 1 < end) row(block.values[r + 1], m0 + r + 1, n0, columns, x[1]);
      to.pair(r, x);
    }
    if (end == rows) to.finish(rows, m0, n0, p.N);
  }
};

template <bool kExponentials>
void kept_gradients(const KeptRows& kept, const float* factor, GradientBlock& to) {
  const __m512 log2e = _mm512_set1_ps(kLog2E);
  for (int64_t n0 = 0; n0 < kept.N; n0 += 32) {
    const Columns columns(kept.N - n0);
    const auto row = [&](int64_t r, __m512(&x)[2]) __attribute__((always_inline)) {
      const float* const values = kept.values + r * kept.N + n0;
      __m512 low = _mm512_maskz_loadu_ps(columns.valid[0], values),
             high = _mm512_maskz_loadu_ps(columns.valid[1], values + 16);
      if constexpr (!kExponentials) {
        const __m512 shift = _mm512_set1_ps(kept.shift[r]);
        low = exponential2(_mm512_fmsub_ps(low, log2e, shift));
        high = exponential2(_mm512_fmsub_ps(high, log2e, shift));
      }
      to.row(low, high, _mm512_set1_ps(factor[r]),
             static_cast<uint64_t>(kept.targets[r] - kept.first - n0), r, n0, columns, x);
    };
    for (int64_t r = 0; r < kept.rows; r += 2) {
      __m512 x[2][2] = {};  // [row][half]
      row(r, x[0]);
      if (r + 1 < kept.rows) row(r + 1, x[1]);
      to.pair(r, x);
    }
    to.finish(kept.rows, 0, n0, kept.N);
  }
}

}  // namespace

void add_exponentials(const Logits& logits, float* sums, float* target_logits, float* kept) {
  if (kept == nullptr) {
    Pipeline<Exponentials<false>> pipeline({logits, sums, target_logits, nullptr});
    multiply_blocks(logits.product, false, pipeline);
  } else {
    Pipeline<Exponentials<true>> pipeline({logits, sums, target_logits, kept});
    multiply_blocks(logits.product, false, pipeline);
  }
}

void loss_gradients(const Logits& logits, const float* factor, float scale,
                    const GradientTargets& to) {
  GradientBlock block(to, scale);
  Pipeline<Gradients> pipeline({logits, factor, block});
  multiply_blocks(logits.product, false, pipeline);
}

void loss_gradients(const KeptRows& kept, const float* factor, float scale,
                    const GradientTargets& to) {
  GradientBlock block(to, scale);
  kept.are_exponentials ? kept_gradients<true>(kept, factor, block)
                        : kept_gradients<false>(kept, factor, block);
}

}  // namespace bitlaw::cpu::amx
