// The optimizer's work on flat ranges of numbers. Each call works on its own range; ranges may be
// distributed over workers in any way without changing the result.
#pragma once

#include "ops/context.h"

namespace bitlaw {

// y += x
void add_in_place(Context&, const Tensor& x, Tensor& y);

// sum of x^2 in double, in a fixed order
double sum_of_squares(Context&, const Tensor& x);

struct AdamW {  // Loshchilov and Hutter, 2019
  double learning_rate;
  double beta1, beta2, epsilon;
  double weight_decay;
  int64_t step;           // 1 for the first update: m and v are divided by 1 - beta^step
  double gradient_scale;  // multiplies the gradient first (clipping, averaging)
};

// m = beta1 m + (1-beta1) g;  v = beta2 v + (1-beta2) g^2;
// w -= learning_rate (m/(1-beta1^t) / (sqrt(v/(1-beta2^t)) + epsilon) + weight_decay w)
// w, g, m, v: F32, equal numbers of elements.
void adamw_update(Context&, const AdamW& settings, const Tensor& g, Tensor& w, Tensor& m,
                  Tensor& v);

}  // namespace bitlaw
