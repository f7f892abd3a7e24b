#include "ops/glu.h"

#include "ops/checks.h"
#include "ops/dispatch.h"

namespace bitlaw {
namespace {

bool keeps(const Tensor& gate_up, const Tensor& y) {
  return !gate_up.defined() || (gate_up.shape() == Shape{y.extent(0), 2 * y.extent(1)} &&
                                (gate_up.dtype() == y.dtype() || gate_up.dtype() == DType::kBF16));
}

}  // namespace

void glu_forward(Context& c, const Operand& x, const Weight& w, Tensor& gate_up, Tensor& y) {
  BITLAW_CHECK(is_real(c, y) && y.shape().rank() == 2 && keeps(gate_up, y));
  const int64_t T = y.extent(0), F = y.extent(1), K = x.codes.extent(1);
  BITLAW_CHECK(is_operand(x, T, K, y.dtype()) && is_operand(w.operand, 2 * F, K, y.dtype()));
  const Timed timed(c.profile, "gated linear unit", product_flops(T, 2 * F, K),
                    bytes_of(x.codes, w.operand.codes, gate_up, y));
  dispatch(c, op::glu_forward, x, w, gate_up, y);
}

void glu_backward(Context& c, const Tensor& dy, const Tensor& gate_up, const Operand& x,
                  const Weight& w, Tensor& dx, WeightGradient dw) {
  BITLAW_CHECK(is_real(c, dy) && dy.shape().rank() == 2 && gate_up.defined() && keeps(gate_up, dy));
  const int64_t T = dy.extent(0), F = dy.extent(1), K = x.codes.extent(1);
  BITLAW_CHECK(is_operand(x, T, K, dy.dtype()) && is_operand(w.operand, 2 * F, K, dy.dtype()));
  BITLAW_CHECK(is_real(c, dx, {T, K}) && same_dtype(dy, dx));
  BITLAW_CHECK(dw.dw != nullptr && is_real(c, *dw.dw, {2 * F, K}) && same_dtype(dy, *dw.dw));
  const Timed timed(
      c.profile, "gated linear unit, backward", 2 * product_flops(T, 2 * F, K),
      bytes_of(dy, gate_up, x.codes, w.operand.codes, dx) + (dw.fresh ? 1 : 2) * bytes_of(*dw.dw));
  dispatch(c, op::glu_backward, dy, gate_up, x, w, dx, dw);
}

}  // namespace bitlaw
