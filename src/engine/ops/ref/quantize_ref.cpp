// Rounding of a matrix by the definition of formats/quantizer.h, laid out as an operand.
#include <algorithm>
#include <cmath>

#include "formats/block_grid.h"
#include "formats/e8m0.h"
#include "formats/gaussian_scale.h"
#include "ops/ref/backend.h"

namespace bitlaw::ref {
namespace {

// Codes, scales and values of one matrix.
QuantizedReference rounded_by_definition(const Rounding& rounding, const float* x, int64_t rows,
                                         int64_t columns, float elsewhere) {
  if (!rounding.options.fits_range()) {
    return quantize_reference(rounding.format, rounding.axis, rounding.group, x, rows, columns,
                              elsewhere, rounding.scales);
  }
  const bool one_row = rounding.axis == ScaleAxis::kTensor;
  const WeightReference fitted = quantize_reference(rounding.scheme(), x, one_row ? 1 : rows,
                                                    one_row ? rows * columns : columns);
  QuantizedReference out{fitted.codes, fitted.scales, fitted.values, fitted.scales,
                         fitted.tensor_scale};
  for (size_t i = 0; i < out.codes.size(); ++i) {
    // In training a scale is a normal float or 0.
    if (out.scales[i] < kSmallestNormal) out.codes[i] = out.scales[i] = out.values[i] = 0;
    out.blocks[i] = without_tensor(rounding.scales, fitted.tensor_scale, out.scales[i]);
  }
  return out;
}

}  // namespace

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
  const TrustedRange range =
      out.trusted.defined() ? trusted_range(rounding.format) : TrustedRange{};
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t first = block * rows * columns;
    const QuantizedReference rounded =
        rounded_by_definition(rounding, x.f32() + first, rows, columns, elsewhere);
    for (int64_t i = 0; i < rows * columns; ++i) {
      const float entry = rounding.folds() ? folded_number(rounded.codes[i], rounded.blocks[i])
                          : rounding.has_scales() || rounding.bf16_codes() ? rounded.codes[i]
                                                                           : rounded.values[i];
      out.codes.set(first + i, entry);
      if (out.trusted.defined()) {
        const float scale = rounded.scales[i], inverse = scale == 0 ? 0 : 1 / scale;
        out.trusted.set(first + i, range.holds(x.f32()[first + i] * inverse) ? 1 : 0);
      }
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
