// How a role of a recipe is rounded, by name, apart from what shares a scale
// (docs/decisions/0016-formats-in-training.md):
//
//   16 bf16 32 fp32                        no scale
//   4 int4 e2m1 fp8 ...                    codes with FP32 scales
//   int4-e8m0 e2m1-e4m3 ...                with rounded scales (formats/weight_scheme.h)
//   mxfp4 mxfp6-e2m3 ... mxint8 nvfp4      published block formats, which fix the group
//
// each with the options of formats/role_options.h. These are the names of formats/precision.h.
#pragma once

#include <string>

#include "formats/quantizer.h"

namespace bitlaw {

struct RoleFormat {
  Format format;
  ScaleRule scales = ScaleRule::kFloat32;
  int group = 0;  // of a published block format; 0: any
  RoleOptions options{};
};

// Error, with what is expected, if the text is no such name.
RoleFormat role_format(const std::string& text);

// The quantizer with what shares a scale in `shared`, whose format does not matter, or else with
// the block of a published format.
Quantizer in_role(const RoleFormat& role, const Quantizer& shared);

// Error if `shared` is not the block of a published format.
void require_own_block(const RoleFormat& role, const Quantizer& shared);

}  // namespace bitlaw
