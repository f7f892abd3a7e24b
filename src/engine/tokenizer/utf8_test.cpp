#include "tokenizer/utf8.h"

#include <gtest/gtest.h>

namespace bitlaw {
namespace {

// The code point's shortest form, by its definition.
std::string encode(uint32_t point) {
  const auto part = [&](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xC0 | point >> 6), part(0)};
  if (point < 0x10000) return {static_cast<char>(0xE0 | point >> 12), part(6), part(0)};
  return {static_cast<char>(0xF0 | point >> 18), part(12), part(6), part(0)};
}

bool is_scalar(uint32_t point) {
  return point <= 0x10FFFF && !(point >= 0xD800 && point <= 0xDFFF);
}

TEST(Utf8, AcceptsEveryCodePointAndNoPrefixOfOne) {
  for (uint32_t point = 0; point <= 0x1FFFFF; ++point) {
    const std::string bytes = encode(point);
    ASSERT_EQ(utf8_length(bytes), is_scalar(point) ? static_cast<int>(bytes.size()) : 0) << point;
    for (size_t n = 0; n < bytes.size(); ++n)
      ASSERT_EQ(utf8_length(bytes.substr(0, n)), 0) << point;
  }
}

// A sequence is valid exactly where decoding it loosely and encoding the result gives it back.
TEST(Utf8, RejectsEveryOtherThreeBytes) {
  std::string bytes(3, '\0');
  for (uint32_t i = 0; i < 1u << 24; ++i) {
    const uint32_t a = i >> 16, b = i >> 8 & 0xFF, c = i & 0xFF;
    bytes = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)};
    int expected = 0;
    if (a < 0x80) expected = 1;
    if (a >> 5 == 6 && b >> 6 == 2 && encode((a & 31) << 6 | (b & 63)) == bytes.substr(0, 2))
      expected = 2;
    const uint32_t point = (a & 15) << 12 | (b & 63) << 6 | (c & 63);
    if (a >> 4 == 14 && b >> 6 == 2 && c >> 6 == 2 && is_scalar(point) && encode(point) == bytes)
      expected = 3;
    ASSERT_EQ(utf8_length(bytes), expected) << i;
  }
}

TEST(Utf8, RejectsOverlongAndTooLargeFourBytes) {
  EXPECT_EQ(utf8_length("\xF0\x8F\xBF\xBF"), 0);
  EXPECT_EQ(utf8_length("\xF0\x90\x80\x80"), 4);
  EXPECT_EQ(utf8_length("\xF4\x8F\xBF\xBF"), 4);
  EXPECT_EQ(utf8_length("\xF4\x90\x80\x80"), 0);
  EXPECT_EQ(utf8_length("\xF5\x80\x80\x80"), 0);
}

TEST(Utf8, ReplacesAndCountsInvalidBytesOnly) {
  int64_t replaced = 0;
  EXPECT_EQ(valid_utf8("na\xC3\xAFve \xF0\x9F\x98\x80", &replaced),
            "na\xC3\xAFve \xF0\x9F\x98\x80");
  EXPECT_EQ(replaced, 0);
  EXPECT_EQ(valid_utf8("a\xFF"
                       "b\xC3",
                       &replaced),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
  EXPECT_EQ(replaced, 2);
}

}  // namespace
}  // namespace bitlaw
