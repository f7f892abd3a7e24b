#include "ops/rotate.h"

#include <bit>

#include "ops/checks.h"
#include "ops/dispatch.h"

namespace bitlaw {

void rotate(Context& c, int64_t width, const Tensor& x, Tensor& y) {
  BITLAW_CHECK(is_real(c, x) && x.shape().rank() == 2 && same_dtype(x, y) &&
               x.shape() == y.shape());
  BITLAW_CHECK(width > 0 && std::has_single_bit(static_cast<uint64_t>(width)) &&
               x.extent(1) % width == 0);
  const Timed timed(c.profile, "rotate", 0, bytes_of(x, y));
  dispatch(c, op::rotate, width, x, y);
}

void keep_trusted(Context& c, const Tensor& trusted, Tensor& x) {
  BITLAW_CHECK(is_real(c, x) && trusted.dtype() == DType::kBF16 && trusted.shape() == x.shape());
  const Timed timed(c.profile, "rotate: trusted gradients", 0, bytes_of(trusted, x) + bytes_of(x));
  dispatch(c, op::keep_trusted, trusted, x);
}

}  // namespace bitlaw
