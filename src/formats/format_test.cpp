// Every code and every midpoint of every format, and a comparison with public tables.
#include "formats/format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>

#include "base/error.h"
#include "formats/half.h"

namespace bitlaw {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<Format> integer_formats() {
  std::vector<Format> formats;
  for (int bits = 2; bits <= 16; ++bits) formats.push_back(integer_format(bits));
  return formats;
}

std::vector<Format> float_formats() {
  std::vector<Format> formats;
  for (int x = 2; x <= 7; ++x) {
    for (int y = 0; y <= 10; ++y) formats.push_back(float_format(x, y));
  }
  return formats;
}

std::vector<Format> listed_formats() {  // every format whose codes can be listed
  std::vector<Format> formats = integer_formats();
  for (const Format& format : float_formats()) formats.push_back(format);
  formats.push_back(bf16_format());
  return formats;
}

// Bits decide: +0 and -0 differ, NaN equals itself.
uint32_t bits_of(float x) {
  return std::bit_cast<uint32_t>(x);
}

std::string describe(const Format& format, float y) {
  char text[64];
  std::snprintf(text, sizeof text, "%s at %a", format.name().c_str(), static_cast<double>(y));
  return text;
}

// Whether the code at `index` of all_codes is even: codes count up from zero on either side.
bool even(const std::vector<float>& codes, size_t index) {
  const auto zero =
      static_cast<size_t>(std::lower_bound(codes.begin(), codes.end(), 0.0f) - codes.begin());
  return (index - zero) % 2 == 0;
}

TEST(Format, EveryCodeIsItsOwnNearestCode) {
  for (const Format& format : listed_formats()) {
    for (const float code : all_codes(format)) {
      ASSERT_EQ(bits_of(round_to_code(format, code)), bits_of(code)) << describe(format, code);
    }
  }
}

// A midpoint of two codes has one bit more than they have, so that it is a float; its neighbours
// among floats decide which way it goes.
TEST(Format, MidpointsGoToTheEvenCodeAndTheirNeighboursToTheNearest) {
  for (const Format& format : listed_formats()) {
    const std::vector<float> codes = all_codes(format);
    for (size_t i = 0; i + 1 < codes.size(); ++i) {
      const float below = codes[i], above = codes[i + 1];
      const double exact = (static_cast<double>(below) + above) / 2;
      const auto middle = static_cast<float>(exact);
      ASSERT_EQ(middle, exact) << describe(format, below);
      ASSERT_EQ(round_to_code(format, middle), even(codes, i) ? below : above)
          << describe(format, middle);
      ASSERT_EQ(round_to_code(format, std::nextafter(middle, below)), below)
          << describe(format, middle);
      ASSERT_EQ(round_to_code(format, std::nextafter(middle, above)), above)
          << describe(format, middle);
    }
  }
}

TEST(Format, CodesAreDistinctAscendingAndAsManyAsTheBitsAllow) {
  for (const Format& format : listed_formats()) {
    const std::vector<float> codes = all_codes(format);
    EXPECT_TRUE(std::is_sorted(codes.begin(), codes.end())) << format.name();
    EXPECT_EQ(std::set<float>(codes.begin(), codes.end()).size(), codes.size()) << format.name();
    // One pattern of 2^bits is lost to -0; e4m3 loses 2 to NaN, the IEEE formats a whole exponent.
    size_t expected = size_t{1} << format.bits;
    if (format.kind != FormatKind::kInteger) expected -= 1;
    const std::string name = format.name();
    if (name == "e4m3") expected -= 2;
    if (name == "e5m2" || name == "e5m10" || name == "bf16")
      expected -= size_t{2} << format.mantissa_bits;
    EXPECT_EQ(codes.size(), expected) << name;
    if (format.scaled()) {
      EXPECT_EQ(codes.back(), format.max_code) << name;
      EXPECT_EQ(codes.front(), format.min_code) << name;
    }
    const float next_to_zero = *std::upper_bound(codes.begin(), codes.end(), 0.0f);
    EXPECT_EQ(next_to_zero, format.smallest_positive()) << name;
  }
}

// Against a search through the list of codes in double, at numbers drawn over all magnitudes.
TEST(Format, RoundingIsTheNearestOfAllCodes) {
  for (const Format& format : listed_formats()) {
    const std::vector<float> codes = all_codes(format);
    uint64_t state = 12345;
    for (int draw = 0; draw < 3000; ++draw) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      const double fraction = static_cast<double>(state >> 11) * 0x1p-53;
      const double range = 1.2 * codes.back();
      const double wide = std::ldexp(fraction, static_cast<int>(state % 48) - 40) * codes.back();
      const auto y = static_cast<float>(draw % 2 == 0 ? (2 * fraction - 1) * range
                                                      : (draw % 4 == 1 ? wide : -wide));
      if (format.kind == FormatKind::kBf16 && std::fabs(y) > codes.back()) continue;
      const auto above = std::lower_bound(codes.begin(), codes.end(), y);
      float nearest = above == codes.end() ? codes.back() : *above;
      if (above != codes.end() && above != codes.begin()) {
        const double up = static_cast<double>(*above) - y,
                     down = y - static_cast<double>(*(above - 1));
        const auto index = static_cast<size_t>(above - codes.begin());
        if (down < up || (down == up && even(codes, index - 1))) nearest = *(above - 1);
      }
      ASSERT_EQ(round_to_code(format, y), nearest) << describe(format, y);
    }
  }
}

TEST(Format, RoundingIsMonotoneAndIdempotent) {
  for (const Format& format : listed_formats()) {
    const float top = format.scaled() ? 1.5f * std::min(format.max_code, 0x1p100f) : 1000.0f;
    float previous = -kInfinity;
    for (int i = -20000; i <= 20000; ++i) {
      // Cubed, so that most of the numbers lie near zero where codes are dense.
      const float t = static_cast<float>(i) / 20000.0f;
      const float rounded = round_to_code(format, t * t * t * top);
      ASSERT_GE(rounded, previous) << describe(format, t);
      ASSERT_EQ(bits_of(round_to_code(format, rounded)), bits_of(rounded)) << describe(format, t);
      previous = rounded;
    }
  }
}

TEST(Format, LargeMagnitudesSaturate) {
  for (const Format& format : listed_formats()) {
    if (!format.scaled()) continue;
    for (const float y : {std::nextafter(format.max_code, kInfinity), 2 * format.max_code,
                          0x1.fffffep127f, kInfinity}) {
      EXPECT_EQ(round_to_code(format, y), format.max_code) << describe(format, y);
      const float expected = -y < format.min_code ? format.min_code : std::nearbyint(-y);
      EXPECT_EQ(round_to_code(format, -y), expected) << describe(format, -y);
    }
    EXPECT_EQ(round_to_code(format, -kInfinity), format.min_code) << format.name();
  }
}

TEST(Format, ZeroKeepsItsSignAndNanStays) {
  std::vector<Format> formats = listed_formats();
  formats.push_back(fp32_format());
  for (const Format& format : formats) {
    EXPECT_EQ(bits_of(round_to_code(format, 0.0f)), 0u) << format.name();
    EXPECT_EQ(bits_of(round_to_code(format, -0.0f)), 0x80000000u) << format.name();
    EXPECT_TRUE(std::isnan(round_to_code(format, std::nanf("")))) << format.name();
    if (!format.scaled()) continue;
    const float half =
        format.smallest_positive() / 2;  // a tie between zero, which is even, and the next code
    EXPECT_EQ(bits_of(round_to_code(format, half)), 0u) << format.name();
    EXPECT_EQ(bits_of(round_to_code(format, -half)), 0x80000000u) << format.name();
    EXPECT_EQ(bits_of(round_to_code(format, -0x1p-149f)), 0x80000000u) << format.name();
  }
}

// In the subnormal range of a format its codes are multiples of the smallest.
TEST(Format, SubnormalsAreEvenlySpaced) {
  for (const Format& format : float_formats()) {
    const float step = format.smallest_positive();
    EXPECT_EQ(format.smallest_normal(), std::ldexp(step, format.mantissa_bits)) << format.name();
    for (int k = 0; k < 1 << format.mantissa_bits; ++k) {
      const float code = static_cast<float>(k) * step;
      EXPECT_EQ(round_to_code(format, code), code) << format.name();
      EXPECT_EQ(round_to_code(format, code + 0.75f * step), code + step) << format.name();
    }
  }
}

TEST(Format, Fp32DoesNotRound) {
  for (const float x : {0x1.fffffep127f, 0x1.000002p0f, 0x1p-149f, -kInfinity}) {
    EXPECT_EQ(bits_of(round_to_code(fp32_format(), x)), bits_of(x));
  }
}

// The nonnegative codes as their public specifications list them.
struct PublicTable {
  const char* name;
  const char* source;
  std::vector<float> nonnegative;
};

const std::vector<PublicTable>& public_tables() {
  static const std::vector<PublicTable> tables{
      {"e2m1", "OCP Microscaling Formats 1.0, FP4", {0, .5f, 1, 1.5f, 2, 3, 4, 6}},
      {"e2m3",
       "OCP Microscaling Formats 1.0, FP6",
       {0,      .125f, .25f,   .375f, .5f,    .625f, .75f,  .875f, 1,     1.125f, 1.25f,
        1.375f, 1.5f,  1.625f, 1.75f, 1.875f, 2,     2.25f, 2.5f,  2.75f, 3,      3.25f,
        3.5f,   3.75f, 4,      4.5f,  5,      5.5f,  6,     6.5f,  7,     7.5f}},
      {"e3m2",
       "OCP Microscaling Formats 1.0, FP6",
       {0,     .0625f, .125f, .1875f, .25f,  .3125f, .375f, .4375f, .5f,  .625f, .75f,
        .875f, 1,      1.25f, 1.5f,   1.75f, 2,      2.5f,  3,      3.5f, 4,     5,
        6,     7,      8,     10,     12,    14,     16,    20,     24,   28}},
  };
  return tables;
}

TEST(Format, SmallFloatsMatchTheirPublicTables) {
  for (const PublicTable& table : public_tables()) {
    const std::vector<float> codes = all_codes(parse_format(table.name));
    const std::vector<float> nonnegative(codes.begin() + static_cast<long>(codes.size() / 2),
                                         codes.end());
    EXPECT_EQ(nonnegative, table.nonnegative) << table.name << " of " << table.source;
  }
}

// OCP 8-bit Floating Point Specification 1.0, table 1, and IEEE 754 for binary16.
TEST(Format, WideFloatsMatchTheirPublicLandmarks) {
  struct Landmarks {
    const char* name;
    float largest, smallest_normal, largest_subnormal, smallest_subnormal;
  };
  for (const Landmarks& known :
       {Landmarks{"e4m3", 448.0f, 0x1p-6f, 0.875f * 0x1p-6f, 0x1p-9f},
        Landmarks{"e5m2", 57344.0f, 0x1p-14f, 0.75f * 0x1p-14f, 0x1p-16f},
        Landmarks{"e5m10", 65504.0f, 0x1p-14f, 1023 * 0x1p-24f, 0x1p-24f}}) {
    const Format format = parse_format(known.name);
    const std::vector<float> codes = all_codes(format);
    EXPECT_EQ(format.max_code, known.largest) << known.name;
    EXPECT_EQ(format.smallest_normal(), known.smallest_normal) << known.name;
    EXPECT_EQ(format.smallest_positive(), known.smallest_subnormal) << known.name;
    const auto normal = std::lower_bound(codes.begin(), codes.end(), known.smallest_normal);
    EXPECT_EQ(*(normal - 1), known.largest_subnormal) << known.name;
  }
}

// Independent of the code under test: the compiler's own half-precision conversion.
TEST(Format, E5m10IsIeeeHalf) {
  const Format half = float_format(5, 10);
  for (uint32_t bits = bits_of(0x1p-27f); bits <= bits_of(65504.0f);
       bits += 509) {  // odd: meets every low bit
    const auto x = std::bit_cast<float>(bits);
    ASSERT_EQ(round_to_code(half, x), static_cast<float>(static_cast<_Float16>(x)))
        << describe(half, x);
  }
}

TEST(Format, CodesFitBf16ExactlyWhereTheFormatSaysSo) {
  for (const Format& format : listed_formats()) {
    bool fit = true;
    for (const float code : all_codes(format)) fit = fit && round_to_bf16(code) == code;
    EXPECT_EQ(format.codes_fit_bf16(), fit) << format.name();
  }
  EXPECT_FALSE(fp32_format().codes_fit_bf16());
}

TEST(Format, NamesAreReadBack) {
  std::vector<Format> formats = listed_formats();
  formats.push_back(fp32_format());
  std::set<std::string> names;
  for (const Format& format : formats) {
    EXPECT_EQ(parse_format(format.name()), format);
    names.insert(format.name());
  }
  EXPECT_EQ(names.size(), formats.size());
  for (int bits = 2; bits <= 15; ++bits)
    EXPECT_EQ(parse_format(std::to_string(bits)), integer_format(bits));
  EXPECT_EQ(parse_format("16"), bf16_format());
  EXPECT_EQ(parse_format("32"), fp32_format());
  EXPECT_EQ(Format{}, bf16_format());
}

std::string error_of(const std::string& text) {
  try {
    parse_format(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Format, UnknownNamesAreErrorsThatSayWhatIsKnown) {
  for (const char* text :
       {"",      "0",     "1",     "17",    "31",     "33",    "64",
        "-4",    "4.0",   " 4",    "04",    "int",    "int1",  "int17",
        "int04", "int4x", "uint4", "INT4",  "e1m2",   "e8m7",  "e8m0",
        "e4",    "em",    "e4m",   "e4m11", "e4m3fn", "e2m1 ", "99999999999999999999",
        "fp4"}) {
    EXPECT_NE(error_of(text), "") << text;
  }
  EXPECT_NE(error_of("e4m3fn").find("did you mean 'e4m3'"), std::string::npos)
      << error_of("e4m3fn");
  EXPECT_NE(error_of("bfloat").find("int2 .. int16"), std::string::npos) << error_of("bfloat");
  EXPECT_NE(error_of("e8m7").find("write bf16"), std::string::npos) << error_of("e8m7");
  EXPECT_NE(error_of("1").find("2 to 16"), std::string::npos) << error_of("1");
  EXPECT_THROW(integer_format(1), Error);
  EXPECT_THROW(integer_format(17), Error);
  EXPECT_THROW(float_format(1, 2), Error);
  EXPECT_THROW(float_format(8, 2), Error);
  EXPECT_THROW(float_format(4, -1), Error);
  EXPECT_THROW(float_format(4, 11), Error);
}

}  // namespace
}  // namespace bitlaw
