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

struct Exponentials {
  const Logits& logits;
  float *sums, *target_logits;

  void operator()(const Block& block, int64_t m0, int64_t n0, int64_t begin, int64_t end) const {
    const int64_t count = logits.product.N - n0 < 32 ? logits.product.N - n0 : 32;
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
      const int64_t target = logits.targets[t] - logits.first - n0;
      if (static_cast<uint64_t>(target) < static_cast<uint64_t>(count))
        target_logits[t] = row[target];
    }
  }
};

struct Gradients {
  const Logits& logits;
  const float* factor;
  float scale;
  const GradientTargets& to;
  Rows* pairs;  // [2], of the block that is being finished: its halves' rows in pairs

  // Row t of the block; both halves.
  void row(const float* values, int64_t t, int64_t n0, const Columns& columns,
           __m512 (&x)[2]) const {
    const __m512 log2e = _mm512_set1_ps(kLog2E), shift = _mm512_set1_ps(logits.shift[t]),
                 own = _mm512_set1_ps(factor[t]), one = _mm512_set1_ps(scale);
    const auto target = static_cast<uint64_t>(logits.targets[t] - logits.first - n0);
    const uint32_t at = target < 32 ? 1u << target : 0;
    for (int half = 0; half < 2; ++half) {
      const __m512 e =
          exponential2(_mm512_fmsub_ps(_mm512_load_ps(values + 16 * half), log2e, shift));
      x[half] = _mm512_maskz_mul_ps(columns.valid[half], e, own);
      x[half] =
          _mm512_mask_sub_ps(x[half], static_cast<__mmask16>(at >> (16 * half)), x[half], one);
    }
    _mm512_mask_storeu_epi16(to.g + t * to.ldg + n0, first32(to.g_columns - n0),
                             rounded(x[0], x[1]));
  }

  void operator()(const Block& block, int64_t m0, int64_t n0, int64_t begin, int64_t end) const {
    const Product& p = logits.product;
    const int64_t rows = p.M - m0 < 32 ? p.M - m0 : 32;
    const Columns columns(p.N - n0);
    for (int64_t r = begin; r < end; r += 2) {
      __m512 x[2][2] = {};  // [row][half]
      row(block.values[r], m0 + r, n0, columns, x[0]);
      if (r + 1 < end) row(block.values[r + 1], m0 + r + 1, n0, columns, x[1]);
      for (int half = 0; half < 2; ++half)
        pairs[half].row[r / 2] = rounded_pairs(x[0][half], x[1][half]);
    }
    if (end < rows) return;
    for (int half = 0; half < 2; ++half) {
      for (int64_t pair = (rows + 1) / 2; pair < 16; ++pair)
        pairs[half].row[pair] = _mm512_setzero_si512();
      if (n0 + 16 * half >= p.N) continue;
      store_tile(to.h + (n0 / kRows + half) * to.h_panel + m0 / kStep * kTile,
                 transposed_pairs(pairs[half]));
    }
  }
};

}  // namespace

void add_exponentials(const Logits& logits, float* sums, float* target_logits) {
  Pipeline<Exponentials> pipeline(Exponentials{logits, sums, target_logits});
  multiply_blocks(logits.product, false, pipeline);
}

void loss_gradients(const Logits& logits, const float* factor, float scale,
                    const GradientTargets& to) {
  Rows pairs[2];
  Pipeline<Gradients> pipeline(Gradients{logits, factor, scale, to, pairs});
  multiply_blocks(logits.product, false, pipeline);
}

}  // namespace bitlaw::cpu::amx
