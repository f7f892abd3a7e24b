#include "ops/quantize.h"

#include "ops/checks.h"
#include "ops/cpu/backend.h"
#include "ops/ref/backend.h"

namespace bitlaw {

Operand make_operand(const Rounding& rounding, int64_t rows, int64_t columns, DType unrounded,
                     const TensorSource& allocate) {
  Operand operand;
  if (rounding.bf16_codes()) {
    operand.codes = allocate(DType::kBF16, {rows, columns});
    if (rounding.format.scaled()) operand.scales = allocate(DType::kF32, {rows});
  } else {
    const bool rounded = rounding.format.kind != FormatKind::kFp32;
    operand.codes = allocate(rounded ? DType::kF32 : unrounded, {rows, columns});
  }
  return operand;
}

size_t operand_bytes(const Rounding& rounding, int64_t rows, int64_t columns) {
  const size_t entries = static_cast<size_t>(rows * columns);
  if (!rounding.bf16_codes()) return entries * size_of(DType::kF32);
  const size_t scales = rounding.format.scaled() ? static_cast<size_t>(rows) : 0;
  return entries * size_of(DType::kBF16) + scales * size_of(DType::kF32);
}

void quantize(Context& c, const Rounding& rounding, const Tensor& x, Operand& out) {
  BITLAW_CHECK(is_real(c, x) && x.shape().rank() == 2);
  BITLAW_CHECK(x.dtype() == DType::kF32 || rounding.format.kind == FormatKind::kFp32);
  BITLAW_CHECK(is_operand(out, x.extent(0), x.extent(1), x.dtype()));
  BITLAW_CHECK((out.codes.dtype() == DType::kBF16) == rounding.bf16_codes());
  BITLAW_CHECK(out.scales.defined() == (rounding.bf16_codes() && rounding.format.scaled()));
  BITLAW_CHECK(rounding.axis != ScaleAxis::kGroup || rounding.group > 0);
  BITLAW_CHECK(rounding.row_blocks > 0 && x.extent(0) % rounding.row_blocks == 0);
  const Timed timed(c.profile, "quantize", 0, bytes_of(x, out.codes));
  c.backend == Backend::kReference ? ref::quantize(c, rounding, x, out)
                                   : cpu::quantize(c, rounding, x, out);
}

}  // namespace bitlaw
