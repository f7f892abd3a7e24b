#include "ops/norm.h"

#include "ops/checks.h"
#include "ops/cpu/backend.h"
#include "ops/ref/backend.h"

namespace bitlaw {

void rms_norm(Context& c, const Tensor& x, const Tensor& weight, double epsilon, Tensor& y,
              Tensor& rstd) {
  BITLAW_CHECK(is_real(c, x) && x.shape().rank() == 2);
  const int64_t R = x.extent(0), C = x.extent(1);
  BITLAW_CHECK(weight.shape() == Shape{C} && y.shape() == x.shape() && rstd.shape() == Shape{R});
  BITLAW_CHECK(same_dtype(x, weight, y, rstd));
  const Timed timed(c.profile, "norm", 0, bytes_of(x, y));
  c.backend == Backend::kReference ? ref::rms_norm(c, x, weight, epsilon, y, rstd)
                                   : cpu::rms_norm(c, x, weight, epsilon, y, rstd);
}

void rms_norm_backward(Context& c, const Tensor& dy, const Tensor& x, const Tensor& weight,
                       const Tensor& rstd, bool accumulate, Tensor& dx, Tensor& dweight) {
  BITLAW_CHECK(is_real(c, x) && x.shape().rank() == 2);
  const int64_t R = x.extent(0), C = x.extent(1);
  BITLAW_CHECK(dy.shape() == x.shape() && dx.shape() == x.shape() && rstd.shape() == Shape{R});
  BITLAW_CHECK(weight.shape() == Shape{C} && dweight.shape() == Shape{C});
  BITLAW_CHECK(same_dtype(x, dy, weight, rstd, dx, dweight));
  const Timed timed(c.profile, "norm, backward", 0, bytes_of(dy, x, dx));
  c.backend == Backend::kReference
      ? ref::rms_norm_backward(c, dy, x, weight, rstd, accumulate, dx, dweight)
      : cpu::rms_norm_backward(c, dy, x, weight, rstd, accumulate, dx, dweight);
}

}  // namespace bitlaw
