#include "ops/quantize.h"

#include "ops/checks.h"
#include "ops/dispatch.h"

namespace bitlaw {

Operand make_operand(const Rounding& rounding, int64_t rows, int64_t columns, DType unrounded,
                     const TensorSource& allocate) {
  Operand operand;
  const bool rounded = rounding.format.kind != FormatKind::kFp32;
  operand.codes = allocate(rounding.bf16_codes() ? DType::kBF16
                           : rounded             ? DType::kF32
                                                 : unrounded,
                           {rows, columns});
  if (rounding.has_scales()) {
    operand.scales = allocate(DType::kF32, rounding.scales_shape(rows, columns));
    operand.group = rounding.scaled_group();
  }
  if (rounding.marks_trusted) operand.trusted = allocate(DType::kBF16, {rows, columns});
  return operand;
}

size_t operand_bytes(const Rounding& rounding, int64_t rows, int64_t columns) {
  const auto entries = static_cast<size_t>(rows * columns);
  const size_t codes = entries * size_of(rounding.bf16_codes() ? DType::kBF16 : DType::kF32) +
                       (rounding.marks_trusted ? entries * size_of(DType::kBF16) : 0);
  if (!rounding.has_scales()) return codes;
  return codes + static_cast<size_t>(rounding.scales_shape(rows, columns).elements()) *
                     size_of(DType::kF32);
}

bool holds(const Operand& operand, const Rounding& rounding, int64_t rows, int64_t columns,
           DType unrounded) {
  if (!is_operand(operand, rows, columns, unrounded)) return false;
  return (operand.codes.dtype() == DType::kBF16) == rounding.bf16_codes() &&
         operand.scales.defined() == rounding.has_scales() &&
         operand.trusted.defined() == rounding.marks_trusted &&
         operand.group == rounding.scaled_group();
}

void quantize(Context& c, const Rounding& rounding, const Tensor& x, Operand& out) {
  BITLAW_CHECK(is_real(c, x) && x.shape().rank() == 2);
  BITLAW_CHECK(x.dtype() == DType::kF32 || rounding.format.kind == FormatKind::kFp32);
  BITLAW_CHECK(holds(out, rounding, x.extent(0), x.extent(1), x.dtype()));
  BITLAW_CHECK(rounding.axis != ScaleAxis::kGroup || rounding.group > 0);
  BITLAW_CHECK(rounding.row_blocks > 0 && x.extent(0) % rounding.row_blocks == 0);
  BITLAW_CHECK(rounding.axis == ScaleAxis::kTensor || rounding.absmax_elsewhere == 0);
  BITLAW_CHECK(!rounding.marks_trusted || rounding.axis != ScaleAxis::kColumn);
  BITLAW_CHECK(!rounding.options.fits_range() ||
               (rounding.axis != ScaleAxis::kColumn && rounding.absmax_elsewhere == 0));
  const Timed timed(c.profile, "quantize", 0, bytes_of(x, out.codes));
  dispatch(c, op::quantize, rounding, x, out);
}

float absmax(Context& c, const Tensor& x) {
  BITLAW_CHECK(x.defined() && x.dtype() == DType::kF32);
  const Timed timed(c.profile, "quantize: batch scale", 0, bytes_of(x));
  return dispatch(c, op::absmax, x);
}

}  // namespace bitlaw
