#include "ops/linear.h"

#include "ops/checks.h"
#include "ops/dispatch.h"

namespace bitlaw {
namespace {

// A weight that another backend packed is packed anew.
void keep_own(const Context& c, Weight& weight) {
  if (weight.packed != nullptr && &weight.packed->owner() != c.backend) weight.packed = nullptr;
}

}  // namespace

void prepare_weight(Context& c, const Rounding& rounding, const Tensor& master, bool training,
                    Weight& out) {
  BITLAW_CHECK(is_real(c, master) && master.shape().rank() == 2);
  const int64_t N = master.extent(0), K = master.extent(1);
  keep_own(c, out);
  if (!holds(out.operand, rounding, N, K, master.dtype())) {
    out = {make_operand(rounding, N, K, master.dtype(), c.backend->allocate), nullptr};
  }
  const Timed timed(c.profile, "weights: round and pack", 0, bytes_of(master) * 2);
  dispatch(c, op::prepare_weight, rounding, master, training, out);
}

void pack_weight(Context& c, bool training, Weight& weight) {
  const Tensor& codes = weight.operand.codes;
  BITLAW_CHECK(codes.defined() && codes.shape().rank() == 2);
  BITLAW_CHECK(is_operand(weight.operand, codes.extent(0), codes.extent(1), codes.dtype()));
  BITLAW_CHECK(codes.dtype() != DType::kF64 || c.backend->takes_f64);
  keep_own(c, weight);
  dispatch(c, op::pack_weight, training, weight);
}

void linear_forward(Context& c, const Operand& x, const Weight& w, bool accumulate, Tensor& y) {
  BITLAW_CHECK(is_real(c, y) && y.shape().rank() == 2 && x.codes.shape().rank() == 2);
  const int64_t T = y.extent(0), N = y.extent(1), K = x.codes.extent(1);
  BITLAW_CHECK(is_operand(x, T, K, y.dtype()));
  BITLAW_CHECK(is_operand(w.operand, N, K, y.dtype()));
  const Timed timed(c.profile, "linear", product_flops(T, N, K),
                    bytes_of(x.codes, w.operand.codes, y));
  dispatch(c, op::linear_forward, x, w, accumulate, y);
}

void linear_forward_add(Context& c, const Tensor& addend, const Operand& x, const Weight& w,
                        Tensor& y) {
  BITLAW_CHECK(is_real(c, y) && y.shape().rank() == 2 && x.codes.shape().rank() == 2);
  BITLAW_CHECK(is_real(c, addend, y.shape()) && same_dtype(addend, y));
  const int64_t T = y.extent(0), N = y.extent(1), K = x.codes.extent(1);
  BITLAW_CHECK(is_operand(x, T, K, y.dtype()));
  BITLAW_CHECK(is_operand(w.operand, N, K, y.dtype()));
  const Timed timed(c.profile, "linear", product_flops(T, N, K),
                    bytes_of(x.codes, w.operand.codes, addend, y));
  dispatch(c, op::linear_forward_add, addend, x, w, y);
}

void linear_backward(Context& c, const Tensor& dy, const Operand& x, const Weight& w,
                     bool accumulate, Tensor* dx, WeightGradient dw) {
  BITLAW_CHECK(is_real(c, dy) && dy.shape().rank() == 2 && x.codes.shape().rank() == 2);
  const int64_t T = dy.extent(0), N = dy.extent(1), K = x.codes.extent(1);
  BITLAW_CHECK(is_operand(x, T, K, dy.dtype()));
  BITLAW_CHECK(is_operand(w.operand, N, K, dy.dtype()));
  BITLAW_CHECK(dx == nullptr || (is_real(c, *dx, {T, K}) && same_dtype(dy, *dx)));
  BITLAW_CHECK(dw.dw == nullptr || (is_real(c, *dw.dw, {N, K}) && same_dtype(dy, *dw.dw)));
  const Timed timed(c.profile, "linear, backward",
                    ((dx != nullptr) + (dw.dw != nullptr)) * product_flops(T, N, K),
                    bytes_of(dy, x.codes, w.operand.codes) + (dx == nullptr ? 0 : bytes_of(*dx)) +
                        (dw.dw == nullptr ? 0 : (dw.fresh ? 1 : 2) * bytes_of(*dw.dw)));
  dispatch(c, op::linear_backward, dy, x, w, accumulate, dx, dw);
}

}  // namespace bitlaw
