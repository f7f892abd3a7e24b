// Part of kernels_body.h: flat ranges of numbers, the optimizer among them.
#pragma once

#include "ops/cpu/rows_body.h"
#include "ops/cpu/simd_math.h"

namespace bitlaw::cpu {
namespace {

void add(const float* x, int64_t n, float* y) {
  sweep(n,
        [&](int64_t i, auto part) { store(y + i, load(y + i, part) + load(x + i, part), part); });
}

double sum_of_squares(const float* x, int64_t n) {
  D a = zero_doubles(), b = zero_doubles();
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    a = add_squares(a, load(x + i));
    b = add_squares(b, load(x + i + kLanes));
  }
  sweep(n - i, [&](int64_t j, auto part) { a = add_squares(a, load(x + i + j, part)); });
  return sum(a) + sum(b);
}

void adamw(const AdamWFactors& f, const float* g, int64_t n, float* w, float* m, float* v) {
  const V beta1 = splat(f.beta1), beta2 = splat(f.beta2), rest1 = splat(f.one_minus_beta1),
          rest2 = splat(f.one_minus_beta2);
  sweep(n, [&](int64_t i, auto part) {
    const V gradient = load(g + i, part) * splat(f.gradient_scale);
    const V mean = fma(beta1, load(m + i, part), rest1 * gradient);
    const V square = fma(beta2, load(v + i, part), rest2 * (gradient * gradient));
    store(m + i, mean, part);
    store(v + i, square, part);
    const V root = sqrt(square * splat(f.inverse_v)) + splat(f.epsilon);
    const V weight = load(w + i, part);
    const V step = fma(splat(f.weight_decay), weight, mean * splat(f.inverse_m) / root);
    store(w + i, minus_fma(splat(f.learning_rate), step, weight), part);
  });
}

void all_exponentials(const float* x, int64_t n, float* y) {
  sweep(n, [&](int64_t i, auto part) { store(y + i, exponential(load(x + i, part)), part); });
}

void all_reciprocals(const float* x, int64_t n, float* y) {
  sweep(n, [&](int64_t i, auto part) { store(y + i, reciprocal(load(x + i, part)), part); });
}

}  // namespace
}  // namespace bitlaw::cpu
