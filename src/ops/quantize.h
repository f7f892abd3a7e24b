// Rounding of whole matrices, as formats/quantizer.h defines it for one entry.
#pragma once

#include <functional>

#include "formats/quantizer.h"
#include "tensor/context.h"

namespace bitlaw {

// One rounded operand of a product: value[r, c] = codes[r, c] * scales[r].
//
// codes is BF16 where the format's codes are BF16 numbers and the scale is constant along a row
// (per tensor, row); then scales is [R] (undefined for the bf16 format: no scale). Otherwise codes
// is F32, holds the values themselves (code * scale), and scales is undefined.
struct Operand {
  Tensor codes;   // [R, C] BF16 or F32 (F64 on the reference backend for fp32 formats)
  Tensor scales;  // [R] F32, or undefined: all ones
};

// How a role's matrix is rounded: what the op needs of a Quantizer.
struct Rounding {
  Format format = bf16_format();
  ScaleAxis axis = ScaleAxis::kTensor;
  int group = 0;  // kGroup only
  int row_blocks =
      1;  // kColumn only: the rows are this many equal blocks (heads) with scales of their own

  bool bf16_codes() const {
    return format.codes_fit_bf16() &&
           (!format.scaled() || axis == ScaleAxis::kTensor || axis == ScaleAxis::kRow);
  }
};

// Memory for the result; `unrounded` is the type of fp32-format operands (F64 in gradient checks).
// `allocate` gives the tensors, for callers that hold many in one piece of memory.
using TensorSource = std::function<Tensor(DType, Shape)>;
Operand make_operand(const Rounding& rounding, int64_t rows, int64_t columns,
                     DType unrounded = DType::kF32, const TensorSource& allocate = Tensor::empty);
size_t operand_bytes(const Rounding& rounding, int64_t rows, int64_t columns);

// x is [R, C] F32 (F64 with the fp32 format on the reference). Finite x only.
void quantize(Context&, const Rounding& rounding, const Tensor& x, Operand& out);

}  // namespace bitlaw
