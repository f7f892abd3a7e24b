// The gated linear unit as its two steps.
#include "ops/ref/backend.h"
#include "ops/ref/numbers.h"

namespace bitlaw::ref {

void glu_forward(Context& c, const Operand& x, const Weight& w, Tensor& gate_up, Tensor& y) {
  Tensor product = Tensor::empty(y.dtype(), {y.extent(0), 2 * y.extent(1)});
  ref::linear_forward(c, x, w, false, product);
  ref::swiglu(c, product, y);
  if (gate_up.defined()) store(numbers(product), gate_up);
}

void glu_backward(Context& c, const Tensor& dy, const Tensor& gate_up, const Operand& x,
                  const Weight& w, Tensor& dx, WeightGradient dw) {
  Tensor kept = Tensor::empty(dy.dtype(), gate_up.shape());
  store(numbers(gate_up), kept);
  ref::swiglu_backward(c, dy, kept, kept);
  ref::linear_backward(c, kept, x, w, false, &dx, dw);
}

}  // namespace bitlaw::ref
