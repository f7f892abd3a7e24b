// Number formats, one value at a time: the codes of a format, and how a number is rounded to the
// nearest. These scalar functions are the only definition of rounding in bitlaw; every fast
// quantizer equals them bit for bit.
//
//   intB    B bits, 2 <= B <= 16: the integers -2^(B-1) .. 2^(B-1)-1
//   eXmY    one sign, X exponent and Y mantissa bits, 2 <= X <= 7, 0 <= Y <= 10, bias 2^(X-1)-1:
//           (-1)^s 2^(e-bias) 1.m, and (-1)^s 2^(1-bias) 0.m if e is 0 (subnormals);
//           no infinities and no NaN, so the highest exponent holds ordinary numbers, unless the
//           format's public definition reserves them: e4m3 stops at 448 (OCP FP8 E4M3), e5m2 at
//           57344 (OCP FP8 E5M2), e5m10 at 65504 (IEEE half); larger magnitudes saturate
//   bf16    e8m7 without a scale: the upper half of a float, ties to even (half.h)
//   fp32    no rounding at all
//
// Rounding is always to nearest, ties to the even code; if Y = 0 that is the one with the even
// exponent field. A result of zero keeps the sign of its input. X stops at 7, because an exponent
// of eight bits already has the range of a float and a scale would add nothing.
//
// Table of formats: docs/formats.md. Vectors for other implementations: tests/golden/formats.csv.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

enum class FormatKind { kFp32, kBf16, kInteger, kFloat };

struct Format {
  FormatKind kind = FormatKind::kBf16;
  int bits = 16;          // per code, including the sign
  int exponent_bits = 8;  // X in eXmY; 0 for integers
  int mantissa_bits = 7;  // Y in eXmY, without the implied leading one; 0 for integers
  int bias = 127;         // normal value = 2^(exponent - bias) * 1.mantissa
  // Largest code, to which abs-max is scaled: 2^(B-1)-1, or the largest float. 0 for bf16 and fp32,
  // which have no scale.
  float max_code = 0;
  // Most negative code: -2^(B-1), or -max_code; 0 for bf16 and fp32.
  float min_code = 0;

  bool scaled() const { return kind == FormatKind::kInteger || kind == FormatKind::kFloat; }
  // True if every code is exactly a BF16 value, so that products can run on BF16 codes: integers up
  // to 9 bits, floats up to 7 mantissa bits, bf16.
  bool codes_fit_bf16() const;
  // The smallest normal code, 2^(1-bias), and the smallest positive code (a subnormal if Y > 0);
  // both are 1 for integers.
  float smallest_normal() const;
  float smallest_positive() const;
  std::string name() const;  // "int4", "e2m1", "bf16", "fp32"
  bool operator==(const Format&) const = default;
};

Format integer_format(int bits);                            // Error outside 2..16
Format float_format(int exponent_bits, int mantissa_bits);  // Error outside 2..7 and 0..10
Format bf16_format();
Format fp32_format();

// Inverse of name(). A bare number of bits is accepted, too: "2" .. "15" are integers, "16" is
// bf16, "32" is fp32. Other common names are in formats/precision.h.
std::optional<Format> find_format(std::string_view text);
Format parse_format(const std::string& text);  // Error, with the known formats
// Error if the text is an intB or eXmY, but with bits that do not exist; other texts pass.
void require_in_range(std::string_view text);

// The eXmY that are in use, for lists of names to choose from.
inline constexpr const char* kUsualFloats[] = {"e2m0", "e2m1", "e2m3", "e3m0",
                                               "e3m1", "e3m2", "e4m3", "e5m2"};

// Nearest code to y, which is in units of the scale (for bf16 and fp32, the number itself).
// Saturates beyond the largest and smallest codes, also for infinities; NaN stays NaN.
float round_to_code(const Format& format, float y);

// Every finite code in ascending order; -0 and +0 count once. Not for fp32.
std::vector<float> all_codes(const Format& format);

}  // namespace bitlaw
