#include "formats/gaussian_scale.h"

#include <cmath>

#include "base/error.h"
#include "formats/gaussian_error.h"
#include "formats/per_format.h"

namespace bitlaw {
namespace {

// To sixteen significant bits. The search finds about eight digits, so that the last of these bits
// is certain unless the number is within 1e-8 of a tie.
float to_sixteen_bits(double x) {
  int exponent = 0;
  const double mantissa = std::frexp(x, &exponent);
  return static_cast<float>(std::ldexp(std::nearbyint(std::ldexp(mantissa, 16)), exponent - 16));
}

}  // namespace

float gaussian_scale(const Format& format) {
  BITLAW_CHECK(format.scaled());
  static PerFormat<float> scales;
  return scales.get(
      format, [](const Format& of) { return to_sixteen_bits(least_gaussian_error(of).scale); });
}

float gaussian_scale(const Format& format, double sum_of_squares, int64_t count) {
  const double size = std::sqrt(sum_of_squares / static_cast<double>(count));
  return static_cast<float>(static_cast<double>(gaussian_scale(format)) * size);
}

TrustedRange trusted_range(const Format& format) {
  BITLAW_CHECK(format.scaled());
  if (format.kind == FormatKind::kInteger) return {format.min_code - 0.5f, format.max_code + 0.5f};
  // The largest code may be a power of two; the last step is below it.
  const float below = std::nextafter(format.max_code, 0.0f);
  const float step = std::ldexp(1.0f, std::ilogb(below) - format.mantissa_bits);
  const float most = format.max_code + step / 2;
  return {-most, most};
}

}  // namespace bitlaw
