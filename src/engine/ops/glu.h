// The gated linear unit (Shazeer, 2020) whole: a product with gate and up projections side by side,
// and the gate. Together, because the product's result is the largest activation of a layer: blocks
// of it pass through the gate before they leave a core's cache.
#pragma once

#include "ops/linear.h"

namespace bitlaw {

// [gate | up] = x W^T, W [2F, K];  y[t,f] = silu(gate) up, silu(z) = z / (1 + exp(-z)); y [T, F].
// gate_up [T, 2F] keeps the product for backward: F32 (F64), or BF16, for which it is rounded; y is
// computed before that rounding. Undefined: nothing is kept.
void glu_forward(Context&, const Operand& x, const Weight& w, Tensor& gate_up, Tensor& y);

// dx (written) and dw from dy [T, F] and what was kept: linear_backward of the gradient of [gate |
// up].
void glu_backward(Context&, const Tensor& dy, const Tensor& gate_up, const Operand& x,
                  const Weight& w, Tensor& dx, WeightGradient dw);

}  // namespace bitlaw
