// Rounding of a matrix by the definition of formats/quantizer.h, laid out as an operand.
#include <algorithm>
#include <cmath>

#include "formats/e8m0.h"
#include "ops/ref/backend.h"

namespace bitlaw::ref {

void quantize(Context& context, const Rounding& rounding, const Tensor& x, Operand& out) {
  if (rounding.format.kind == FormatKind::kFp32) {
    out.codes.copy_from(x);
    return;
  }
  const int64_t columns = x.extent(1);
  const int64_t blocks = rounding.axis == ScaleAxis::kColumn ? rounding.row_blocks : 1;
  const int64_t rows = x.extent(0) / blocks;
  // Heads with scales of their own have one tensor scale together.
  const float elsewhere = rounding.scales == ScaleRule::kE4M3
                              ? std::max(rounding.absmax_elsewhere, ref::absmax(context, x))
                              : rounding.absmax_elsewhere;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t first = block * rows * columns;
    const QuantizedReference rounded =
        quantize_reference(rounding.format, rounding.axis, rounding.group, x.f32() + first, rows,
                           columns, elsewhere, rounding.scales);
    for (int64_t i = 0; i < rows * columns; ++i) {
      const float entry = rounding.folds() ? folded_number(rounded.codes[i], rounded.blocks[i])
                          : rounding.has_scales() || rounding.bf16_codes() ? rounded.codes[i]
                                                                           : rounded.values[i];
      out.codes.set(first + i, entry);
    }
    if (!out.scales.defined()) continue;
    const int64_t step = out.group == 0 ? columns : out.group;
    float* to = out.scales.f32();
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; c += step)
        *to++ = rounding.folds() ? rounded.tensor_scale : rounded.scales[r * columns + c];
    }
  }
}

float absmax(Context&, const Tensor& x) {
  float largest = 0;
  for (int64_t i = 0; i < x.elements(); ++i) largest = std::max(largest, std::fabs(x.f32()[i]));
  return largest;
}

}  // namespace bitlaw::ref
