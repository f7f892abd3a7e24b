#include "formats/scale_rule.h"

#include <cmath>

#include "formats/e8m0.h"

namespace bitlaw {

int e8m0_unit(const Format& element) {
  return element.kind == FormatKind::kInteger ? largest_exponent(element) : 0;
}

float e8m0_scale(const Format& element, int exponent) {
  return std::ldexp(1.0f, exponent - e8m0_unit(element));
}

float e4m3_number(float scale, float tensor) {
  return round_to_code(float_format(4, 3), scale / tensor);
}

}  // namespace bitlaw
