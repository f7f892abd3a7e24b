// Gated activation (Shazeer, 2020).
#pragma once

#include "ops/context.h"

namespace bitlaw {

// y[t,f] = silu(gate) * up, silu(z) = z / (1 + exp(-z))
// gate_up [T, 2F]: gate first, then up; y [T, F]
void swiglu(Context&, const Tensor& gate_up, Tensor& y);

// dgate_up = ... from dy [T, F]; dgate_up may be gate_up itself
void swiglu_backward(Context&, const Tensor& dy, const Tensor& gate_up, Tensor& dgate_up);

}  // namespace bitlaw
