// The gated linear unit (Shazeer, 2020): a product with the gate and up projections, and the gate,
// as one op. The product's result is the largest activation of a layer, and blocks of it pass
// through the gate before they leave a core's cache.
#pragma once

#include "ops/linear.h"

namespace bitlaw {

// [gate | up] = x W^T, W [2F, K];  y[t,f] = silu(gate) up, silu(z) = z / (1 + exp(-z)); y [T, F].
// gate_up [T, 2F] keeps the product for the backward pass, in F32 (F64) or rounded to BF16; y is
// computed before that rounding. If gate_up is undefined, nothing is kept.
void glu_forward(Context&, const Operand& x, const Weight& w, Tensor& gate_up, Tensor& y);

// dx (written) and dw from dy [T, F] and the kept gate_up: linear_backward of the gradient of
// [gate | up].
void glu_backward(Context&, const Tensor& dy, const Tensor& gate_up, const Operand& x,
                  const Weight& w, Tensor& dx, WeightGradient dw);

}  // namespace bitlaw
