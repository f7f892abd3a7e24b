// Rounding of whole matrices, as formats/quantizer.h defines it for one entry.
#pragma once

#include <functional>

#include "formats/quantizer.h"
#include "formats/weight_scheme.h"
#include "ops/context.h"

namespace bitlaw {

// One rounded operand of a product:
//
//   value[r, c] = codes[r, c] * scales[r]               group == 0
//   value[r, c] = codes[r, c] * scales[r, c / group]    otherwise
//
// `codes` is BF16 if the format's codes are BF16 numbers, else F32. With Rounding::folds() it holds
// the products code * block scale, which are BF16 numbers, and a row has the tensor's scale or
// none. In two cases `codes` is F32 and holds the values themselves (code * scale), and `scales` is
// undefined: if scales are per column, and, without Rounding::keeps_codes, if they are per group or
// the codes are not BF16 numbers.
struct Operand {
  Tensor codes;   // [R, C] BF16 or F32 (F64 on the reference backend for fp32 formats)
  Tensor scales;  // [R] or [R, groups] F32, or undefined: all ones
  int group = 0;  // entries of a row that share a scale; the last group may be short; 0: all
  // [R, C] BF16, or undefined: 1, or 0 for entries that the rounding cut off, whose gradients are
  // not to be trusted (TrustedRange in formats/gaussian_scale.h).
  Tensor trusted{};
};

// Rows begin .. end of an operand.
inline Operand rows_of(const Operand& x, int64_t begin, int64_t end) {
  return {x.codes.rows(begin, end), x.scales.defined() ? x.scales.rows(begin, end) : Tensor(),
          x.group, x.trusted.defined() ? x.trusted.rows(begin, end) : Tensor()};
}

// How a role's matrix is rounded: the parts of a Quantizer that the op needs.
struct Rounding {
  Format format = bf16_format();
  ScaleAxis axis = ScaleAxis::kTensor;
  int group = 0;  // kGroup only
  ScaleRule scales = ScaleRule::kFloat32;
  // kColumn only: the rows are this many equal blocks (heads), each with its own scales.
  int row_blocks = 1;
  // Products with weights take codes in groups and F32 codes; attention needs values.
  bool keeps_codes = false;
  // Of these the op needs whether and how the range of a block is fitted; not for kColumn.
  RoleOptions options{};
  // Whether the operand says which entries are trusted.
  bool marks_trusted = false;
  // kTensor only: the largest magnitude of what else shares the scale (a batch's other sequences).
  float absmax_elsewhere = 0;

  // How a block is rounded; with kTensor, the matrix is one row.
  WeightScheme scheme() const {
    return {.format = format,
            .group = axis == ScaleAxis::kGroup ? group : 0,
            .clip = options.clip,
            .gauss = options.gauss,
            .scales = scales};
  }
  // Whether the rounded scales of groups are part of the operand's numbers.
  bool folds() const { return axis == ScaleAxis::kGroup && folds_into_bf16(format, scales); }
  // Whether the operand holds codes and scales.
  bool has_scales() const {
    if (!format.scaled() || axis == ScaleAxis::kColumn) return false;
    if (folds()) return scales == ScaleRule::kE4M3;
    return keeps_codes || (format.codes_fit_bf16() && axis != ScaleAxis::kGroup);
  }
  bool bf16_codes() const {
    return format.kind == FormatKind::kBf16 || folds() || (has_scales() && format.codes_fit_bf16());
  }
  // The operand's group.
  int scaled_group() const {
    return axis == ScaleAxis::kGroup && has_scales() && !folds() ? group : 0;
  }
  Shape scales_shape(int64_t rows, int64_t columns) const {
    if (scaled_group() == 0) return {rows};
    return {rows, (columns + group - 1) / group};
  }
};

// Allocates an operand [rows, columns]; `unrounded` is the type for the fp32 format (F64 in
// gradient checks). `allocate` returns the tensors, for callers that keep many in one piece of
// memory.
using TensorSource = std::function<Tensor(DType, Shape)>;
Operand make_operand(const Rounding& rounding, int64_t rows, int64_t columns,
                     DType unrounded = DType::kF32, const TensorSource& allocate = Tensor::empty);
size_t operand_bytes(const Rounding& rounding, int64_t rows, int64_t columns);

// Whether `operand` has the memory that make_operand would allocate.
bool holds(const Operand& operand, const Rounding& rounding, int64_t rows, int64_t columns,
           DType unrounded);

// x is [R, C] F32 (F64 with the fp32 format on the reference). Finite x only.
void quantize(Context&, const Rounding& rounding, const Tensor& x, Operand& out);

// Largest |x|. x is F32.
float absmax(Context&, const Tensor& x);

}  // namespace bitlaw
