// How a weight matrix is rounded after training. The entries of a block (a row, or `group`
// consecutive entries of one) share a scale and a zero point,
//
//   code  = nearest code to w * inverse        (asymmetric: round(w * inverse) + zero, saturating)
//   value = (code - zero) * scale
//
// and a scheme defines the codes and how scale and zero are computed:
//
//   symmetric    zero = 0, scale = absmax / max_code: formats/quantizer.h, bit for bit
//   asymmetric   integers of 2..8 bits, codes 0 .. 2^B-1; with lo = min(0, w), hi = max(0, w):
//                  scale = (hi - lo) / (2^B - 1),   zero = round(-lo / scale),
//                so that 0 is exactly the code `zero`
//   clip         among many smaller ranges (factor * absmax; factor * lo, factor * hi), the one
//                with the least squared error sum (w - value)^2; of equal ones, the largest
//   scales       FP32 as above, or rounded, too:
//     E8M0         powers of two, OCP MX specification 1.0 (formats/e8m0.h)
//     E4M3         OCP FP8, times one FP32 scale of the matrix (NVIDIA's NVFP4):
//                    tensor_scale = absmax of the matrix / (448 max_code)
//                    scale        = e4m3(absmax / max_code / tensor_scale) * tensor_scale
//                With clip the search covers the scales that the format has, from one step above
//                the rule's scale to a fifth of it.
//   gauss        the range for normal numbers of the block's size (formats/gaussian_scale.h):
//                  scale = c(format) sqrt(mean w^2)         FP32
//                  E8M0  the largest power of two that is at most that
//                  E4M3  e4m3(that / tensor_scale) * tensor_scale
//
// Names: int4, int4-asym, e2m1-clip, int4-gauss, int8-e8m0, and the published block formats
//
//   mxfp4 mxfp6-e2m3 mxfp6-e3m2 mxfp8-e4m3 mxfp8-e5m2 mxint8   blocks of 32, E8M0
//   nvfp4                                                      e2m1, blocks of 16, E4M3
//
// docs/formats.md has every convention, tests/golden/weight_schemes.json has test vectors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/format.h"
#include "formats/scale_rule.h"

namespace bitlaw {

struct WeightScheme {
  Format format;            // of the codes: intB or eXmY
  int group = 0;            // consecutive entries of a row that share a scale; 0: the row
  bool asymmetric = false;  // integers of 2..8 bits with a zero point
  bool clip = false;        // search the scale for the least squared error
  bool gauss = false;       // the scale of least squared error for normal numbers; not with clip
  ScaleRule scales = ScaleRule::kFloat32;

  std::string name() const;      // without the group, unless that is part of a published format
  bool is_block_format() const;  // a published format, whose name implies the group
  float lowest_code() const;     // asymmetric 0, else -2^(B-1) or -max_code
  float highest_code() const;    // asymmetric 2^B-1, else max_code
  bool codes_fit_bf16() const;   // code - zero is exactly a BF16 number, always
  bool operator==(const WeightScheme&) const = default;
};

// Inverse of name(), with -asym, -e8m0 or -e4m3, and -clip or -gauss in any order; "4" is int4. A
// published block format fixes its group: `group` is 0 or that. Error for unknown names (with the
// nearest one), unscaled formats, combinations that do not exist, and a group that is negative or
// differs from the published one.
WeightScheme parse_weight_scheme(const std::string& text, int group = 0);

const std::vector<std::string>& block_format_names();
// The published block format of that name, if there is one.
std::optional<WeightScheme> find_block_format(std::string_view name);

// Bits per weight including its share of the scale (32 bits, or 8 in E8M0 and E4M3) and of the zero
// point, in rows of `columns` weights.
double storage_bits(const WeightScheme& scheme, int64_t columns);

// The FP32 scale of a matrix with this absmax (finite): 1 unless the scales are E4M3, else at least
// 2^-126.
float tensor_scale(const WeightScheme& scheme, float matrix_absmax);

}  // namespace bitlaw
