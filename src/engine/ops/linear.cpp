#include "ops/linear.h"

#include "ops/checks.h"
#include "ops/cpu/backend.h"
#include "ops/ref/backend.h"

namespace bitlaw {

void prepare_weight(Context& c, const Rounding& rounding, const Tensor& master, bool training,
                    Weight& out) {
  BITLAW_CHECK(is_real(c, master) && master.shape().rank() == 2);
  const int64_t N = master.extent(0), K = master.extent(1);
  if (!holds(out.operand, rounding, N, K, master.dtype())) {
    out = {make_operand(rounding, N, K, master.dtype()), nullptr};
  }
  const Timed timed(c.profile, "weights: round and pack", 0, bytes_of(master) * 2);
  c.backend == Backend::kReference ? ref::prepare_weight(c, rounding, master, training, out)
                                   : cpu::prepare_weight(c, rounding, master, training, out);
}

void pack_weight(Context& c, bool training, Weight& weight) {
  const Tensor& codes = weight.operand.codes;
  BITLAW_CHECK(codes.defined() && codes.shape().rank() == 2);
  BITLAW_CHECK(is_operand(weight.operand, codes.extent(0), codes.extent(1), codes.dtype()));
  BITLAW_CHECK(codes.dtype() != DType::kF64 || c.backend == Backend::kReference);
  c.backend == Backend::kReference ? ref::pack_weight(c, training, weight)
                                   : cpu::pack_weight(c, training, weight);
}

void linear_forward(Context& c, const Operand& x, const Weight& w, bool accumulate, Tensor& y) {
  BITLAW_CHECK(is_real(c, y) && y.shape().rank() == 2 && x.codes.shape().rank() == 2);
  const int64_t T = y.extent(0), N = y.extent(1), K = x.codes.extent(1);
  BITLAW_CHECK(is_operand(x, T, K, y.dtype()));
  BITLAW_CHECK(is_operand(w.operand, N, K, y.dtype()));
  const Timed timed(c.profile, "linear", product_flops(T, N, K),
                    bytes_of(x.codes, w.operand.codes, y));
  c.backend == Backend::kReference ? ref::linear_forward(c, x, w, accumulate, y)
                                   : cpu::linear_forward(c, x, w, accumulate, y);
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
  c.backend == Backend::kReference ? ref::linear_forward_add(c, addend, x, w, y)
                                   : cpu::linear_forward_add(c, addend, x, w, y);
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
  c.backend == Backend::kReference ? ref::linear_backward(c, dy, x, w, accumulate, dx, dw)
                                   : cpu::linear_backward(c, dy, x, w, accumulate, dx, dw);
}

}  // namespace bitlaw
