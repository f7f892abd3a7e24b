// Number formats, one value at a time: what the codes of a format are, and how a number becomes
// the nearest of them. These scalar functions are the only definition of rounding in bitlaw; every
// fast quantizer equals them bit for bit.
//
//   intB    B bits, 2 <= B <= 16: the integers -2^(B-1) .. 2^(B-1)-1
//   eXmY    one sign, X exponent and Y mantissa bits, 2 <= X <= 7, 0 <= Y <= 10, bias 2^(X-1)-1:
//           (-1)^s 2^(e-bias) 1.m, and (-1)^s 2^(1-bias) 0.m where e is 0 (subnormals);
//           no infinities and no NaN, so the highest exponent holds ordinary numbers, unless the
//           format's public definition gives them away: e4m3 stops at 448 (OCP FP8 E4M3), e5m2 at
//           57344 (OCP FP8 E5M2), e5m10 at 65504 (IEEE half); larger magnitudes saturate
//   bf16    e8m7 without a scale: the upper half of a float, ties to even (half.h)
//   fp32    no rounding at all
//
// Rounding is to nearest, ties to the even code, everywhere; where Y = 0 the even code is the one
// with the even exponent field. A result of zero keeps the sign of its input. An exponent of eight
// bits has the range of a float already: a scale would add nothing, so X stops at 7.
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
  int bits = 16;          // of one code, the sign included
  int exponent_bits = 8;  // X in eXmY; 0 for integers
  int mantissa_bits = 7;  // Y in eXmY, without the implied leading one; 0 for integers
  int bias = 127;         // normal value = 2^(exponent - bias) * 1.mantissa
  float max_code = 0;  // largest code, which abs-max is scaled to: 2^(B-1)-1, or the largest float
  float min_code = 0;  // smallest (most negative) code: -2^(B-1), or -max_code
                       // (bf16 and fp32 have no scale; theirs are 0)

  bool scaled() const { return kind == FormatKind::kInteger || kind == FormatKind::kFloat; }
  // True where every code is exactly a BF16 value, so that products may run on BF16 codes: integers
  // up to 9 bits, floats up to 7 mantissa bits, bf16.
  bool codes_fit_bf16() const;
  // The positive codes where normal numbers begin, 2^(1-bias), and next to zero (a subnormal where
  // Y > 0); both 1 for integers.
  float smallest_normal() const;
  float smallest_positive() const;
  std::string name() const;  // "int4", "e2m1", "bf16", "fp32"
  bool operator==(const Format&) const = default;
};

Format integer_format(int bits);                            // Error outside 2..16
Format float_format(int exponent_bits, int mantissa_bits);  // Error outside 2..7 and 0..10
Format bf16_format();
Format fp32_format();

// Inverse of name(). A bare number of bits is taken too: "2" .. "15" are integers, "16" is bf16,
// "32" fp32. Usual other names are in formats/precision.h.
std::optional<Format> find_format(std::string_view text);
Format parse_format(const std::string& text);  // an Error lists what is known

// Nearest code to y, a number in units of the scale (for bf16 and fp32 the number itself). Beyond
// the largest and smallest codes it saturates, infinities included; NaN stays NaN.
float round_to_code(const Format& format, float y);

// Every finite code in ascending order; -0 and +0 count once. Not for fp32.
std::vector<float> all_codes(const Format& format);

}  // namespace bitlaw
