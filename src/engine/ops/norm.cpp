#include "ops/norm.h"

#include "ops/checks.h"
#include "ops/dispatch.h"

namespace bitlaw {

void rms_norm(Context& c, const Tensor& x, const Tensor& weight, double epsilon, Tensor& y,
              Tensor& rstd) {
  BITLAW_CHECK(is_real(c, x) && x.shape().rank() == 2);
  const int64_t R = x.extent(0), C = x.extent(1);
  BITLAW_CHECK(weight.shape() == Shape{C} && y.shape() == x.shape() && rstd.shape() == Shape{R});
  BITLAW_CHECK(same_dtype(x, weight, y, rstd));
  const Timed timed(c.profile, "norm", 0, bytes_of(x, y));
  dispatch(c, op::rms_norm, x, weight, epsilon, y, rstd);
}

void rms_norm_backward(Context& c, const Tensor& dy, const Tensor& x, const Tensor& weight,
                       const Tensor& rstd, bool accumulate, Tensor& dx, Tensor& dweight) {
  BITLAW_CHECK(is_real(c, x) && x.shape().rank() == 2);
  const int64_t R = x.extent(0), C = x.extent(1);
  BITLAW_CHECK(dy.shape() == x.shape() && dx.shape() == x.shape() && rstd.shape() == Shape{R});
  BITLAW_CHECK(weight.shape() == Shape{C} && dweight.shape() == Shape{C});
  BITLAW_CHECK(same_dtype(x, dy, weight, rstd, dx, dweight));
  const Timed timed(c.profile, "norm, backward", 0, bytes_of(dy, x, dx));
  dispatch(c, op::rms_norm_backward, dy, x, weight, rstd, accumulate, dx, dweight);
}

}  // namespace bitlaw
