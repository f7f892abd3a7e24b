// Rotation by the definition of formats/rotation.h.
#include "formats/rotation.h"

#include "ops/ref/backend.h"

namespace bitlaw::ref {

void rotate(Context&, int64_t width, const Tensor& x, Tensor& y) {
  if (x.raw() != y.raw()) y.copy_from(x);
  if (y.dtype() == DType::kF64) {
    rotate_blocks(y.f64(), y.elements(), width);
  } else {
    rotate_blocks(y.f32(), y.elements(), width);
  }
}

void keep_trusted(Context&, const Tensor& trusted, Tensor& x) {
  for (int64_t i = 0; i < x.elements(); ++i) x.set(i, x.at(i) * trusted.at(i));
}

}  // namespace bitlaw::ref
