#include "ops/swiglu.h"

#include "ops/checks.h"
#include "ops/dispatch.h"

namespace bitlaw {

void swiglu(Context& c, const Tensor& gate_up, Tensor& y) {
  BITLAW_CHECK(is_real(c, y) && y.shape().rank() == 2 && same_dtype(y, gate_up));
  BITLAW_CHECK(gate_up.shape() == (Shape{y.extent(0), 2 * y.extent(1)}));
  const Timed timed(c.profile, "swiglu", 0, bytes_of(gate_up, y));
  dispatch(c, op::swiglu, gate_up, y);
}

void swiglu_backward(Context& c, const Tensor& dy, const Tensor& gate_up, Tensor& dgate_up) {
  BITLAW_CHECK(is_real(c, dy) && dy.shape().rank() == 2 && same_dtype(dy, gate_up, dgate_up));
  BITLAW_CHECK(gate_up.shape() == (Shape{dy.extent(0), 2 * dy.extent(1)}));
  BITLAW_CHECK(dgate_up.shape() == gate_up.shape());
  const Timed timed(c.profile, "swiglu, backward", 0, bytes_of(dy, gate_up, dgate_up));
  dispatch(c, op::swiglu_backward, dy, gate_up, dgate_up);
}

}  // namespace bitlaw
