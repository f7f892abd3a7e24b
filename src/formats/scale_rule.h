// The formats that a block's scale may have. The rules: formats/weight_scheme.h.
#pragma once

#include <string_view>

namespace bitlaw {

enum class ScaleRule { kFloat32, kE8M0, kE4M3 };

// What a name says behind the format of the codes: "int4-e8m0".
constexpr std::string_view ending_of(ScaleRule scales) {
  return scales == ScaleRule::kE8M0 ? "-e8m0" : scales == ScaleRule::kE4M3 ? "-e4m3" : "";
}

// A block whose scale would be smaller counts as zeros.
inline constexpr float kSmallestNormal = 0x1p-126f;

}  // namespace bitlaw
