// Rounding of whole matrices. Scales come from formats/, the codes from the kernels.
#include <algorithm>
#include <cmath>

#include "formats/block_grid.h"
#include "formats/e8m0.h"
#include "formats/gaussian_scale.h"
#include "ops/cpu/backend.h"
#include "ops/cpu/products.h"
#include "ops/cpu/words.h"

namespace bitlaw::cpu {
namespace {

constexpr int kFloatMantissaBits = 23;

CodeRule code_rule(const Format& format) {
  const float unit = format.smallest_positive();  // a power of two
  return {.is_integer = format.kind == FormatKind::kInteger,
          .max_code = format.max_code,
          .min_code = format.min_code,
          .smallest_normal = format.smallest_normal(),
          .steps = 1 / unit,
          .unit = unit,
          .dropped = kFloatMantissaBits - format.mantissa_bits};
}

// The scale of the tensor that x is, with what shares it elsewhere.
float scale_of_tensor(const Kernels& kernel, const Rounding& rounding, const Tensor& x) {
  if (rounding.scales != ScaleRule::kE4M3) return 1;
  const float absmax = std::max(kernel.absmax(x.f32(), x.elements()), rounding.absmax_elsewhere);
  return tensor_scale(rounding.format, rounding.scales, absmax);
}

BlockScale scale_of_block(const Rounding& rounding, float tensor, float absmax) {
  return block_scale(rounding.format, rounding.scales, tensor, absmax);
}

GroupScales group_scales(const Rounding& rounding, float tensor) {
  switch (rounding.scales) {
    case ScaleRule::kFloat32:
      break;
    case ScaleRule::kE8M0:
      return {GroupScales::kE8M0, std::ldexp(1.0f, -largest_exponent(rounding.format)), {}};
    case ScaleRule::kE4M3:
      return {GroupScales::kE4M3, tensor, code_rule(float_format(4, 3))};
  }
  return {GroupScales::kFloat32, 1, {}};
}

void encode_groups(const Kernels& kernel, const Rounding& rounding, const CodeRule& rule,
                   float tensor, const Tensor& x, Operand& out) {
  const bool bf16 = out.codes.dtype() == DType::kBF16, folds = rounding.folds();
  const GroupTarget to{bf16 ? words(out.codes) : nullptr, bf16 ? nullptr : out.codes.f32(),
                       folds                   ? GroupTarget::kNumbers
                       : rounding.has_scales() ? GroupTarget::kCodes
                                               : GroupTarget::kValues,
                       out.scales.defined() && !folds ? out.scales.f32() : nullptr};
  kernel.encode_groups(rule, x.f32(), x.extent(0), x.extent(1), rounding.group,
                       group_scales(rounding, tensor), to);
  if (out.scales.defined() && folds) std::fill_n(out.scales.f32(), x.extent(0), tensor);
}

// One block of consecutive entries that share a scale, possibly with entries elsewhere; returns it.
float encode_block(const Kernels& kernel, const Rounding& rounding, const CodeRule& rule,
                   float tensor, const float* x, int64_t n, const Tensor& codes, int64_t at) {
  const float absmax = std::max(kernel.absmax(x, n), rounding.absmax_elsewhere);
  const BlockScale block = scale_of_block(rounding, tensor, absmax);
  if (codes.dtype() == DType::kBF16) {
    kernel.encode(rule, x, n, block.inverse, words(codes) + at);
  } else {  // codes, or values
    kernel.encode_values(rule, x, n, block.inverse, rounding.has_scales() ? 1.0f : block.scale,
                         codes.f32() + at);
  }
  return block.scale;
}

// Columns of one block of rows, each with its own scale.
void encode_columns(Context& context, const Rounding& rounding, const CodeRule& rule, float tensor,
                    const float* x, int64_t rows, int64_t columns, float* values) {
  Workspace::Scope scope(context.workspace);
  float* scale = context.workspace.take(DType::kF32, {columns}).f32();
  float* inverse = context.workspace.take(DType::kF32, {columns}).f32();
  kernels(context).absmax_columns(x, rows, columns, scale);
  for (int64_t c = 0; c < columns; ++c) {
    const BlockScale block = scale_of_block(rounding, tensor, scale[c]);
    scale[c] = block.scale, inverse[c] = block.inverse;
  }
  kernels(context).encode_columns(rule, x, rows, columns, inverse, scale, values);
}

// Blocks whose range is fitted to them: formats/ finds it.
void encode_fitted(const Kernels& kernel, const Rounding& rounding, const CodeRule& rule,
                   float tensor, const Tensor& x, Operand& out) {
  const bool one_block = rounding.axis == ScaleAxis::kTensor, folds = rounding.folds();
  const int64_t R = x.extent(0), rows = one_block ? 1 : R, columns = x.elements() / rows;
  const int64_t length = rounding.axis == ScaleAxis::kGroup ? rounding.group : columns;
  const WeightScheme scheme = rounding.scheme();
  const TrustedRange range = trusted_range(rounding.format);
  float* scale = out.scales.defined() && !folds ? out.scales.f32() : nullptr;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; c += length) {
      const int64_t at = r * columns + c, count = std::min(length, columns - c);
      const float* const block = x.f32() + at;
      const BlockGrid grid = training_grid(scheme, tensor, block, count);
      const float factor = folds ? without_tensor(scheme.scales, tensor, grid.scale)
                           : rounding.has_scales() ? 1.0f
                                                   : grid.scale;
      if (out.codes.dtype() == DType::kBF16) {
        kernel.encode_numbers(rule, block, count, grid.inverse, factor, words(out.codes) + at);
      } else {
        kernel.encode_values(rule, block, count, grid.inverse, factor, out.codes.f32() + at);
      }
      if (out.trusted.defined()) {
        kernel.mark_trusted(block, count, grid.inverse, range.low, range.high,
                            words(out.trusted) + at);
      }
      if (scale != nullptr) scale = std::fill_n(scale, one_block ? R : 1, grid.scale);
    }
  }
  if (out.scales.defined() && folds) std::fill_n(out.scales.f32(), R, tensor);
}

// From the scales that x was rounded with, where they are those of rows or groups.
void mark_trusted(const Kernels& kernel, const Format& format, const Tensor& x, Operand& out) {
  const int64_t R = x.extent(0), C = x.extent(1), group = out.group == 0 ? C : out.group;
  const TrustedRange range = trusted_range(format);
  const float* scale = out.scales.f32();
  for (int64_t r = 0; r < R; ++r) {
    for (int64_t c = 0; c < C; c += group, ++scale) {
      const float inverse = *scale == 0 ? 0 : 1 / *scale;
      kernel.mark_trusted(x.f32() + r * C + c, std::min(group, C - c), inverse, range.low,
                          range.high, words(out.trusted) + r * C + c);
    }
  }
}

}  // namespace

void quantize(Context& context, const Rounding& rounding, const Tensor& x, Operand& out) {
  const Kernels& kernel = kernels(context);
  const int64_t R = x.extent(0), C = x.extent(1);
  const float* from = x.f32();
  if (rounding.format.kind == FormatKind::kBf16)
    return kernel.round_bf16(from, R * C, words(out.codes));
  if (rounding.format.kind == FormatKind::kFp32) return out.codes.copy_from(x);

  const CodeRule rule = code_rule(rounding.format);
  const float tensor = scale_of_tensor(kernel, rounding, x);
  if (rounding.options.fits_range() || (rounding.marks_trusted && rounding.folds()))
    return encode_fitted(kernel, rounding, rule, tensor, x, out);
  switch (rounding.axis) {
    case ScaleAxis::kTensor: {
      const float scale = encode_block(kernel, rounding, rule, tensor, from, R * C, out.codes, 0);
      if (out.scales.defined()) std::fill_n(out.scales.f32(), R, scale);
      break;
    }
    case ScaleAxis::kRow:
      for (int64_t r = 0; r < R; ++r) {
        const float scale =
            encode_block(kernel, rounding, rule, tensor, from + r * C, C, out.codes, r * C);
        if (out.scales.defined()) out.scales.f32()[r] = scale;
      }
      break;
    case ScaleAxis::kColumn: {
      const int64_t rows = R / rounding.row_blocks;
      for (int64_t r = 0; r < R; r += rows) {
        encode_columns(context, rounding, rule, tensor, from + r * C, rows, C,
                       out.codes.f32() + r * C);
      }
      break;
    }
    case ScaleAxis::kGroup:
      encode_groups(kernel, rounding, rule, tensor, x, out);
      break;
  }
  if (out.trusted.defined()) mark_trusted(kernel, rounding.format, x, out);
}

float absmax(Context& context, const Tensor& x) {
  return kernels(context).absmax(x.f32(), x.elements());
}

}  // namespace bitlaw::cpu
