#include "formats/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "formats/half.h"

namespace bitlaw {
namespace {

constexpr int kMinIntegerBits = 2, kMaxIntegerBits = 16;
constexpr int kMinExponentBits = 2, kMaxExponentBits = 7;
constexpr int kMinMantissaBits = 0, kMaxMantissaBits = 10;
constexpr int kFloatMantissaBits = 23;

// Formats whose public definition spends codes of the highest exponent on infinities or NaN.
struct PublicMaximum {
  int exponent_bits, mantissa_bits;
  float max_finite;
};
constexpr PublicMaximum kPublicMaxima[] = {
    {4, 3, 448.0f},     // OCP 8-bit floating point specification 1.0, E4M3: one NaN, no infinities
    {5, 2, 57344.0f},   // the same, E5M2: as IEEE 754
    {5, 10, 65504.0f},  // IEEE 754 binary16
};

constexpr const char* kKnown =
    "expected int2 .. int16, eXmY with X in 2..7 and Y in 0..10, bf16, fp32, or a number of bits "
    "(2..15 are integers, 16 is bf16, 32 is fp32)";

double power_of_two(int exponent) {
  return std::ldexp(1.0, exponent);
}

std::vector<std::string> usual_names() {
  std::vector<std::string> names{"bf16", "fp32"};
  for (int bits = kMinIntegerBits; bits <= kMaxIntegerBits; ++bits) {
    names.push_back(integer_format(bits).name());
  }
  for (const char* name : {"e2m0", "e2m1", "e2m3", "e3m0", "e3m1", "e3m2", "e4m3", "e5m2"}) {
    names.emplace_back(name);
  }
  return names;
}

// "int4" and "4", or "e2m1", whether there is such a format or not.
struct Shape {
  bool is_float;
  int bits;  // of the exponent, if it is a float
  int mantissa_bits;
};

std::optional<Shape> read_shape(std::string_view text) {
  const bool is_float = text.starts_with('e');
  text.remove_prefix(is_float ? 1 : text.starts_with("int") ? 3 : 0);
  const auto bits = take_whole(text);
  if (!bits) return std::nullopt;
  if (!is_float) return text.empty() ? std::optional(Shape{false, *bits, 0}) : std::nullopt;
  if (!text.starts_with('m')) return std::nullopt;
  text.remove_prefix(1);
  const auto mantissa_bits = take_whole(text);
  if (!mantissa_bits || !text.empty()) return std::nullopt;
  return Shape{true, *bits, *mantissa_bits};
}

bool exists(const Shape& shape) {
  if (!shape.is_float) return kMinIntegerBits <= shape.bits && shape.bits <= kMaxIntegerBits;
  return kMinExponentBits <= shape.bits && shape.bits <= kMaxExponentBits &&
         kMinMantissaBits <= shape.mantissa_bits && shape.mantissa_bits <= kMaxMantissaBits;
}

Format format_of(const Shape& shape) {
  return shape.is_float ? float_format(shape.bits, shape.mantissa_bits)
                        : integer_format(shape.bits);
}

uint32_t magnitude_bits(float x) {
  return std::bit_cast<uint32_t>(x) & 0x7fffffffu;
}

// Rounds away the lowest `dropped` bits of a float's magnitude, ties to even. A carry runs on into
// the exponent, which is right: magnitudes are ordered as their bits are. With all 23 mantissa bits
// dropped the even one of two neighbours is that with the even exponent field, here and in eXm0
// alike because both biases are odd.
uint32_t drop_bits(uint32_t magnitude, int dropped) {
  const uint32_t last_kept = magnitude >> dropped & 1u;
  magnitude += (1u << (dropped - 1)) - 1u + last_kept;
  return magnitude >> dropped << dropped;
}

float round_to_integer(const Format& format, float y) {
  if (y >= format.max_code) return format.max_code;  // a bound is a code, so it may come first
  if (y <= format.min_code) return format.min_code;
  return std::nearbyint(y);  // the rounding mode is to nearest even, always
}

float round_to_float(const Format& format, float y) {
  const float magnitude = std::fabs(y);
  if (!(magnitude < format.max_code)) {
    return std::isnan(y) ? y : std::copysign(format.max_code, y);
  }
  if (magnitude < format.smallest_normal()) {  // a uniform grid of smallest_positive() around zero
    const int exponent = 1 - format.bias - format.mantissa_bits;
    const double steps = std::nearbyint(magnitude * power_of_two(-exponent));
    return std::copysign(static_cast<float>(steps * power_of_two(exponent)), y);
  }
  const uint32_t bits = drop_bits(magnitude_bits(y), kFloatMantissaBits - format.mantissa_bits);
  return std::copysign(std::bit_cast<float>(bits), y);
}

}  // namespace

bool Format::codes_fit_bf16() const {
  switch (kind) {
    case FormatKind::kFp32:
      return false;
    case FormatKind::kBf16:
      return true;
    case FormatKind::kInteger:
      return bits <= 9;  // -256 .. 255: eight significant bits
    case FormatKind::kFloat:
      return mantissa_bits <= 7;
  }
  return false;
}

float Format::smallest_normal() const {
  return kind == FormatKind::kInteger
             ? 1.0f
             : std::bit_cast<float>(static_cast<uint32_t>(128 - bias) << 23);
}

float Format::smallest_positive() const {
  if (kind == FormatKind::kInteger) return 1.0f;
  return static_cast<float>(power_of_two(1 - bias - mantissa_bits));
}

std::string Format::name() const {
  switch (kind) {
    case FormatKind::kFp32:
      return "fp32";
    case FormatKind::kBf16:
      return "bf16";
    case FormatKind::kInteger:
      return fmt::format("int{}", bits);
    case FormatKind::kFloat:
      return fmt::format("e{}m{}", exponent_bits, mantissa_bits);
  }
  return "";
}

Format integer_format(int bits) {
  if (bits < kMinIntegerBits || bits > kMaxIntegerBits) {
    throw Error(fmt::format("integers of {} bits are not supported; use {} to {} bits", bits,
                            kMinIntegerBits, kMaxIntegerBits));
  }
  const auto half = static_cast<float>(1 << (bits - 1));
  return {.kind = FormatKind::kInteger,
          .bits = bits,
          .exponent_bits = 0,
          .mantissa_bits = 0,
          .bias = 0,
          .max_code = half - 1,
          .min_code = -half};
}

Format float_format(int exponent_bits, int mantissa_bits) {
  if (exponent_bits < kMinExponentBits || exponent_bits > kMaxExponentBits ||
      mantissa_bits < kMinMantissaBits || mantissa_bits > kMaxMantissaBits) {
    const bool wide = exponent_bits == 8 && mantissa_bits == 7;
    throw Error(fmt::format(
        "e{}m{} is not supported; {}", exponent_bits, mantissa_bits,
        wide
            ? std::string("write bf16")
            : fmt::format("use {} to {} exponent bits and {} to {} mantissa bits", kMinExponentBits,
                          kMaxExponentBits, kMinMantissaBits, kMaxMantissaBits)));
  }
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int highest_exponent = (1 << exponent_bits) - 1 - bias;
  auto max_code =
      static_cast<float>((2 - power_of_two(-mantissa_bits)) * power_of_two(highest_exponent));
  for (const PublicMaximum& known : kPublicMaxima) {
    if (known.exponent_bits == exponent_bits && known.mantissa_bits == mantissa_bits)
      max_code = known.max_finite;
  }
  return {.kind = FormatKind::kFloat,
          .bits = 1 + exponent_bits + mantissa_bits,
          .exponent_bits = exponent_bits,
          .mantissa_bits = mantissa_bits,
          .bias = bias,
          .max_code = max_code,
          .min_code = -max_code};
}

Format bf16_format() {
  return {};
}

Format fp32_format() {
  return {.kind = FormatKind::kFp32,
          .bits = 32,
          .exponent_bits = 8,
          .mantissa_bits = kFloatMantissaBits};
}

std::optional<Format> find_format(std::string_view text) {
  if (text == "bf16" || text == "16") return bf16_format();
  if (text == "fp32" || text == "32") return fp32_format();
  const auto shape = read_shape(text);
  if (!shape || !exists(*shape)) return std::nullopt;
  return format_of(*shape);
}

Format parse_format(const std::string& text) {
  if (const auto format = find_format(text)) return *format;
  require_in_range(text);
  throw Error(unknown_name("number format", text, usual_names(), kKnown));
}

void require_in_range(std::string_view text) {
  if (const auto shape = read_shape(text)) format_of(*shape);
}

float round_to_code(const Format& format, float y) {
  switch (format.kind) {
    case FormatKind::kFp32:
      return y;
    case FormatKind::kBf16:
      return round_to_bf16(y);
    case FormatKind::kInteger:
      return round_to_integer(format, y);
    case FormatKind::kFloat:
      return round_to_float(format, y);
  }
  return y;
}

std::vector<float> all_codes(const Format& format) {
  BITLAW_CHECK(format.kind != FormatKind::kFp32);
  std::vector<float> codes;
  if (format.kind == FormatKind::kInteger) {
    for (float code = format.min_code; code <= format.max_code; ++code) codes.push_back(code);
    return codes;
  }
  const bool is_bf16 = format.kind == FormatKind::kBf16;
  const auto positive_code =
      [&](uint32_t field) {  // the exponent and mantissa bits of a code as a number
        if (is_bf16) return std::bit_cast<float>(field << 16);
        const auto mantissa = static_cast<int>(field & ((1u << format.mantissa_bits) - 1u));
        const auto exponent = static_cast<int>(field >> format.mantissa_bits);
        const int leading = exponent == 0 ? 0 : 1 << format.mantissa_bits;
        return static_cast<float>(
            (leading + mantissa) *
            power_of_two(std::max(exponent, 1) - format.bias - format.mantissa_bits));
      };
  const float largest = is_bf16 ? 0x1.fep127f : format.max_code;
  std::vector<float> positive;
  for (uint32_t field = 1; field < 1u << (format.bits - 1); ++field) {
    const float code = positive_code(field);
    if (code <= largest) positive.push_back(code);  // infinities and NaN are not
  }
  for (size_t i = positive.size(); i > 0; --i) codes.push_back(-positive[i - 1]);
  codes.push_back(0.0f);
  codes.insert(codes.end(), positive.begin(), positive.end());
  return codes;
}

}  // namespace bitlaw
