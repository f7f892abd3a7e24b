// Part of kernels_body.h: cross-entropy, and logits of two models compared.
#pragma once

#include "ops/cpu/rows_body.h"
#include "ops/cpu/simd_math.h"

namespace bitlaw::cpu {
namespace {

inline float largest_of(const float* x, int64_t n) {
  return largest(reduce(n, kMinusInfinity, [&](V most, int64_t i, auto part) {
    return max(fill_after(load(x + i, part), part, kMinusInfinity), most);
  }));
}

void cross_entropy(const float* logits, int64_t rows, int64_t columns, const uint16_t* targets,
                   float* losses) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = logits + r * columns;
    const float top = largest_of(row, columns);
    const V shift = splat(top);
    const float total = sum(reduce(columns, 0.0f, [&](V total, int64_t c, auto part) {
      return total + fill_after(exponential(load(row + c, part) - shift), part, 0.0f);
    }));
    losses[r] = __builtin_logf(total) - (row[targets[r]] - top);
  }
}

void cross_entropy_gradient(float* logits, int64_t rows, int64_t columns, const uint16_t* targets,
                            float gradient_scale, float* losses, RowTarget gradient) {
  for (int64_t r = 0; r < rows; ++r) {
    float* row = logits + r * columns;
    const float top = largest_of(row, columns);
    const float target = row[targets[r]] - top;
    const V shift = splat(top);
    const float total = sum(reduce(columns, 0.0f, [&](V total, int64_t c, auto part) {
      const V e = exponential(load(row + c, part) - shift);
      store(row + c, e, part);
      return total + fill_after(e, part, 0.0f);
    }));
    losses[r] = __builtin_logf(total) - target;
    row[targets[r]] -= total;  // (p - 1) total
    const V scale = splat(gradient_scale / total);
    sweep(columns,
          [&](int64_t c, auto part) { put(gradient, r, c, load(row + c, part) * scale, part); });
  }
}

void exponentials_of_block(const float* logits, int64_t rows, int64_t columns, float* top,
                           float* total) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = logits + r * columns;
    const float block_top = largest_of(row, columns);
    const float new_top = block_top > top[r] ? block_top : top[r];
    const V shift = splat(new_top);
    const float block_total = sum(reduce(columns, 0.0f, [&](V total, int64_t c, auto part) {
      return total + fill_after(exponential(load(row + c, part) - shift), part, 0.0f);
    }));
    float shrink[kLanes];
    store(shrink, exponential(splat(top[r]) - shift));
    total[r] = total[r] * shrink[0] + block_total;
    top[r] = new_top;
  }
}

// Two rows of logits at some tokens, x and y less their largest: e^x, e^y and e^x (x - y).
struct ComparedLogits {
  V p, q, weighted;
};
inline ComparedLogits operator+(ComparedLogits a, ComparedLogits b) {
  return {a.p + b.p, a.q + b.q, a.weighted + b.weighted};
}

// KL = sum e^x (x - y) / sum e^x + log sum e^y - log sum e^x. Four vectors are added before they
// are widened to double. Equal rows give exactly 0.
void compare_rows(const float* baseline, const float* logits, int64_t rows, int64_t columns,
                  RowComparison* out) {
  for (int64_t r = 0; r < rows; ++r) {
    const float *p = baseline + r * columns, *q = logits + r * columns;
    const float p_top = largest_of(p, columns), q_top = largest_of(q, columns);
    const V p_shift = splat(p_top), q_shift = splat(q_top), least = splat(kMinusInfinity);
    D p_sum = zero_doubles(), q_sum = zero_doubles(), weighted = zero_doubles();
    V q_at_p_top = least;  // the largest q where p is the largest
    const auto compared = [&](int64_t c, auto part) -> ComparedLogits {
      const V p_logit = load(p + c, part), q_logit = load(q + c, part);
      const V there = select_less(p_logit, p_shift, least, q_logit);
      q_at_p_top = max(fill_after(there, part, kMinusInfinity), q_at_p_top);
      const V x = p_logit - p_shift, y = q_logit - q_shift;
      const V e = fill_after(exponential(x), part, 0.0f);
      return {e, fill_after(exponential(y), part, 0.0f), e * (x - y)};
    };
    const auto add_all = [&](ComparedLogits sum) {
      p_sum = add(p_sum, sum.p);
      q_sum = add(q_sum, sum.q);
      weighted = add(weighted, sum.weighted);
    };
    int64_t c = 0;
    for (; c + 4 * kLanes <= columns; c += 4 * kLanes) {
      add_all((compared(c, Full{}) + compared(c + kLanes, Full{})) +
              (compared(c + 2 * kLanes, Full{}) + compared(c + 3 * kLanes, Full{})));
    }
    for (; c + kLanes <= columns; c += kLanes) add_all(compared(c, Full{}));
    if (c < columns) add_all(compared(c, Part{columns - c}));
    const double p_total = sum(p_sum), q_total = sum(q_sum);
    const double p_log = __builtin_log(p_total), q_log = __builtin_log(q_total);
    out[r].baseline_log_sum = p_top + p_log;
    out[r].log_sum = q_top + q_log;
    out[r].kl = sum(weighted) / p_total + (q_log - p_log);
    out[r].same_top = largest(q_at_p_top) == q_top;
  }
}

}  // namespace
}  // namespace bitlaw::cpu
