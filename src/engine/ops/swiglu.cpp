#include "ops/swiglu.h"

#include "ops/checks.h"
#include "ops/cpu/backend.h"
#include "ops/ref/backend.h"

namespace bitlaw {

void swiglu(Context& c, const Tensor& gate_up, Tensor& y) {
  BITLAW_CHECK(is_real(c, y) && y.shape().rank() == 2 && same_dtype(y, gate_up));
  BITLAW_CHECK(gate_up.shape() == (Shape{y.extent(0), 2 * y.extent(1)}));
  const Timed timed(c.profile, "swiglu", 0, bytes_of(gate_up, y));
  c.backend == Backend::kReference ? ref::swiglu(c, gate_up, y) : cpu::swiglu(c, gate_up, y);
}

void swiglu_backward(Context& c, const Tensor& dy, const Tensor& gate_up, Tensor& dgate_up) {
  BITLAW_CHECK(is_real(c, dy) && dy.shape().rank() == 2 && same_dtype(dy, gate_up, dgate_up));
  BITLAW_CHECK(gate_up.shape() == (Shape{dy.extent(0), 2 * dy.extent(1)}));
  BITLAW_CHECK(dgate_up.shape() == gate_up.shape());
  const Timed timed(c.profile, "swiglu, backward", 0, bytes_of(dy, gate_up, dgate_up));
  c.backend == Backend::kReference ? ref::swiglu_backward(c, dy, gate_up, dgate_up)
                                   : cpu::swiglu_backward(c, dy, gate_up, dgate_up);
}

}  // namespace bitlaw
