// The formats that a block's scale may have. The rules: formats/weight_scheme.h.
#pragma once

#include <string_view>

#include "formats/format.h"

namespace bitlaw {

enum class ScaleRule { kFloat32, kE8M0, kE4M3 };

// What a name says behind the format of the codes: "int4-e8m0".
constexpr std::string_view ending_of(ScaleRule scales) {
  return scales == ScaleRule::kE8M0 ? "-e8m0" : scales == ScaleRule::kE4M3 ? "-e4m3" : "";
}

// A block whose scale would be smaller counts as zeros.
inline constexpr float kSmallestNormal = 0x1p-126f;

// E8M0: a float's code 1 is worth 2^exponent; an integer's, of B bits, 2^(exponent - (B-2)), as in
// formats/e8m0.h. e8m0_unit is that 0 or B-2.
int e8m0_unit(const Format& element);
float e8m0_scale(const Format& element, int exponent);

// E4M3: the nearest of its numbers to scale / tensor, a block's scale in units of its tensor's.
float e4m3_number(float scale, float tensor);

}  // namespace bitlaw
