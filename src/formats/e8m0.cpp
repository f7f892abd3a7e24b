#include "formats/e8m0.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace bitlaw {

float e8m0_value(uint8_t code) {
  if (code == 255) return std::numeric_limits<float>::quiet_NaN();
  return std::ldexp(1.0f, static_cast<int>(code) - kE8M0Bias);
}

int largest_exponent(const Format& element) {
  BITLAW_CHECK(element.scaled());
  return std::ilogb(element.max_code);
}

int shared_exponent(const Format& element, float absmax) {
  if (absmax == 0) return -kE8M0Bias;
  if (!std::isfinite(absmax)) return kE8M0Bias;
  const int emax = element.kind == FormatKind::kInteger ? 0 : largest_exponent(element);
  return std::clamp(std::ilogb(absmax) - emax, -kE8M0Bias, kE8M0Bias);
}

float folded_number(float code, float scale) {
  const float number = code * scale;
  return std::fabs(number) < 0x1p-126f ? std::copysign(0.0f, number) : number;
}

}  // namespace bitlaw
