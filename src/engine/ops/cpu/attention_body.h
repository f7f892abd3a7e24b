// Part of kernels_body.h: attention between its products.
#pragma once

#include "ops/cpu/rows_body.h"
#include "ops/cpu/simd_math.h"

namespace bitlaw::cpu {
namespace {

void zero_row(const RowTarget& target, int64_t row, int64_t begin, int64_t end) {
  if (target.bf16 == nullptr && target.f32 == nullptr) return;
  sweep(end - begin, [&](int64_t c, auto part) { put(target, row, begin + c, splat(0.0f), part); });
}

constexpr float kMinusInfinity = -__builtin_inff();

void probabilities(const AttentionRows& block, float* products, int64_t ld, RowTarget p,
                   float* lse) {
  for (int64_t r = 0; r < block.rows; ++r) {
    const int64_t seen = block.i0 + r + 1;
    float* s = products + r * ld;
    const V factor = splat(block.factor * scale_at(block.score_query_scales, r));
    const float top = largest(reduce(seen, kMinusInfinity, [&](V most, int64_t c, auto part) {
      const V score =
          load(s + c, part) * (factor * optional_scales(block.score_key_scales, c, part));
      store(s + c, score, part);
      return max(fill_after(score, part, kMinusInfinity), most);
    }));
    const V shift = splat(top);
    const float total = sum(reduce(seen, 0.0f, [&](V total, int64_t c, auto part) {
      const V e = exponential(load(s + c, part) - shift);
      store(s + c, e, part);
      return total + fill_after(e, part, 0.0f);
    }));
    lse[r] = top + __builtin_logf(total);
    const V inverse = splat(1.0f / total);
    sweep(seen, [&](int64_t c, auto part) {
      put(p, r, c, load(s + c, part) * inverse * optional_scales(block.value_scales, c, part),
          part);
    });
    zero_row(p, r, seen, block.columns);
  }
}

void attention_gradients(const AttentionRows& block, const float* products, const float* gradients,
                         int64_t ld, const float* lse, const float* delta, RowTarget p,
                         RowTarget for_q, RowTarget for_k) {
  const bool both = for_k.bf16 != nullptr || for_k.f32 != nullptr;
  for (int64_t r = 0; r < block.rows; ++r) {
    const int64_t seen = block.i0 + r + 1;
    const float *s = products + r * ld, *g = gradients + r * ld;
    const V factor = splat(block.factor * scale_at(block.score_query_scales, r)),
            shift = splat(lse[r]), pull = splat(delta[r]);
    const V outer = splat(block.factor), row_scale = splat(scale_at(block.query_scales, r));
    sweep(seen, [&](int64_t c, auto part) {
      const V key_scale = optional_scales(block.key_scales, c, part);
      const V score =
          load(s + c, part) * (factor * optional_scales(block.score_key_scales, c, part));
      const V e = exponential(score - shift);
      const V dp = load(g + c, part) * optional_scales(block.value_scales, c, part);
      const V ds = e * (dp - pull) * outer;
      put(p, r, c, e, part);
      put(for_q, r, c, ds * key_scale, part);
      if (both) put(for_k, r, c, ds * row_scale, part);
    });
    zero_row(p, r, seen, block.columns);
    zero_row(for_q, r, seen, block.columns);
    zero_row(for_k, r, seen, block.columns);
  }
}

float dot(const float* x, const float* y, int64_t n) {
  return sum(reduce(n, 0.0f, [&](V s, int64_t i, auto part) {
    return fma(load(x + i, part), load(y + i, part), s);
  }));
}

}  // namespace
}  // namespace bitlaw::cpu
