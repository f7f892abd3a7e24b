#include "ops/update.h"

#include "ops/checks.h"
#include "ops/dispatch.h"

namespace bitlaw {

void add_in_place(Context& c, const Tensor& x, Tensor& y) {
  BITLAW_CHECK(is_real(c, y) && same_dtype(y, x) && x.elements() == y.elements());
  const Timed timed(c.profile, "optimizer: add gradients", 0, 2 * bytes_of(y) + bytes_of(x));
  dispatch(c, op::add_in_place, x, y);
}

double sum_of_squares(Context& c, const Tensor& x) {
  BITLAW_CHECK(is_real(c, x));
  const Timed timed(c.profile, "optimizer: norm of the gradient", 0, bytes_of(x));
  return dispatch(c, op::sum_of_squares, x);
}

void adamw_update(Context& c, const AdamW& settings, const Tensor& g, Tensor& w, Tensor& m,
                  Tensor& v) {
  BITLAW_CHECK(is_real(c, w) && same_dtype(w, g, m, v) && settings.step >= 1);
  BITLAW_CHECK(g.elements() == w.elements() && m.elements() == w.elements() &&
               v.elements() == w.elements());
  const Timed timed(c.profile, "optimizer: AdamW", 0, 7 * bytes_of(w));
  dispatch(c, op::adamw_update, settings, g, w, m, v);
}

}  // namespace bitlaw
