// Rotation of a matrix along its rows, as formats/rotation.h defines it bit for bit, and what the
// backward pass of a rotated and rounded matrix needs.
#pragma once

#include "ops/context.h"

namespace bitlaw {

// y = x R: blocks of `width` consecutive entries, a power of two that divides the row. x and y are
// [R, C] F32 (F64 on the reference) and may be the same memory. R is its own adjoint, so that this
// is the backward pass, too: dx = dy R.
void rotate(Context&, int64_t width, const Tensor& x, Tensor& y);

// The gradient of what was rounded, from that of its rounded numbers, in place: x = x * trusted,
// where trusted [R, C] BF16 is 1 or 0 (ops/quantize.h).
void keep_trusted(Context&, const Tensor& trusted, Tensor& x);

}  // namespace bitlaw
