// A quantizer rounds a matrix: it cuts it into blocks that share a scale, and rounds x / scale to
// the nearest code of a format.
//
//   absmax  = largest |x| of the block
//   scale   = absmax / max_code                    (float division; 0 for a block of zeros)
//   inverse = 1 / scale                            (float division; 0 if scale is 0)
//   code    = round_to_code(format, x * inverse)   (float product, then ties to even, saturating)
//   value   = code * scale                         (float product)
//
// Scales may be rounded, too, by the rules of formats/weight_scheme.h; block_scale() has them for
// training, where a scale is a normal float or 0.
//
// For bf16 there is no scale: value = code = round_to_bf16(x). For fp32 value = x. A block whose
// absmax / max_code is below the smallest normal float (2^-126) counts as zeros. A NaN or infinity
// invalidates only the codes of its own block; training detects it by the loss.
//
// The largest entry of a block always gets the code +-max_code, so that the code -2^(B-1) of an
// integer stays unused here. Quantizing the values again changes no bit, as long as absmax <= 2^126
// and the smallest code times the scale is a normal float: every max_code is (2^k - 1) 2^j with k
// <= 15, for which fl(fl(m fl(a / m)) / m) = fl(a / m) (all a are tested).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/format.h"
#include "formats/role_options.h"
#include "formats/scale_rule.h"

namespace bitlaw {

// What shares a scale in a matrix [R, C] of a role:
//                weights [out, in]     activations [token, in]     keys, values, queries
//   kTensor      the matrix            -                           -
//   kChannel     a row                 a column                    a column of one head
//   kToken       -                     a row                       a row (one token of one head)
//   kGroup       `group` consecutive entries of a row, everywhere
//   kSequence    -                     the matrix (one sequence)   all heads of one sequence
//   kBatch       -                     the matrices of all sequences of a batch, in one layer
// Keys, values and queries are stored head after head, [head*token, dim].
enum class Granularity { kTensor, kChannel, kToken, kGroup, kSequence, kBatch };

// The same in terms of the matrix, as the kernels see it. (For keys, values and queries per
// channel, the matrix is one head, [token, dim]; per batch, it is the sequences one below another.)
enum class ScaleAxis { kTensor, kRow, kColumn, kGroup };

struct Quantizer {
  Format format = bf16_format();
  Granularity granularity = Granularity::kTensor;
  int group = 0;  // entries that share a scale with kGroup; the last group of a row may be short
  ScaleRule scales = ScaleRule::kFloat32;
  RoleOptions options{};

  // "int4/channel", "e2m1/group32", "int4-e8m0/group64"; "bf16", which has no scale to share, and
  // "mxfp4", which is e2m1-e8m0/group32 (formats/weight_scheme.h).
  std::string name() const;
  // "int4", "e2m1", "int4-e8m0", "bf16", "mxfp4", "int4+clip+hadamard"
  std::string format_name() const;
  std::string granularity_name() const;  // "channel", "group32"; "" if there is no scale
  bool is_block_format() const;          // a published format, whose name implies the group
  bool operator==(const Quantizer&) const = default;
};

// An unscaled format gets granularity kTensor, so that equal quantizers compare equal. Error if
// `group` is below 1 with kGroup.
Quantizer make_quantizer(const Format& format, Granularity granularity, int group = 0,
                         ScaleRule scales = ScaleRule::kFloat32);

// Inverse of name(); "int4" alone means kTensor. "int4/per-token" is "int4/token", and so on.
// Error, with the known names, if it does not parse, or if a published format is given another
// group.
Quantizer parse_quantizer(const std::string& text);

struct BlockScale {
  float scale;
  float inverse;
  float block;  // the scale without the tensor's: one of E4M3's numbers; else `scale`
};
// `format` is scaled; absmax >= 0 is the largest magnitude of a block. Zeros for a block of zeros.
BlockScale block_scale(const Format& format, float absmax);
// The same with rounded scales; `tensor` is tensor_scale() of all that has one.
BlockScale block_scale(const Format& format, ScaleRule scales, float tensor, float absmax);

// The FP32 scale of a tensor with this absmax: 1 unless block scales are E4M3, else at least
// 2^-126.
float tensor_scale(const Format& format, ScaleRule scales, float absmax);

// A block's scale without the tensor's, which is `tensor`: one of E4M3's numbers; otherwise
// `scale`.
float without_tensor(ScaleRule scales, float tensor, float scale);

// Whether code * block is exactly a BF16 number for every code and scale, so that products can run
// on those numbers: E8M0 with codes that are BF16, E4M3 with codes of at most 4 significant bits.
bool folds_into_bf16(const Format& format, ScaleRule scales);

// The definition, in plain loops: the code and scale of every entry; values = codes * scales. x is
// [rows, columns], row-major. `group` is used with kGroup only; Error if it is not positive then.
// `absmax_elsewhere` is the largest magnitude of the entries outside x that share its scale (with
// kTensor only: the other sequences of a batch) or, in E4M3, the tensor's scale.
struct QuantizedReference {
  std::vector<float> codes;   // [rows, columns]
  std::vector<float> scales;  // [rows, columns], the scale of each entry (1 if unscaled)
  std::vector<float> values;  // [rows, columns]
  std::vector<float> blocks;  // [rows, columns], the scale without the tensor's
  float tensor_scale = 1;
};
QuantizedReference quantize_reference(const Format& format, ScaleAxis axis, int group,
                                      const float* x, int64_t rows, int64_t columns,
                                      float absmax_elsewhere = 0,
                                      ScaleRule scales = ScaleRule::kFloat32);

}  // namespace bitlaw
