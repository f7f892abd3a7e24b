#include "data/text_encoding.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/test_folder.h"
#include "data/documents.h"
#include "tokenizer/utf8.h"

namespace bitlaw {
namespace {

// Code points as units of 2 or 4 bytes.
std::string encoded(const std::u32string& text, size_t unit, bool big_end_first) {
  std::string out;
  const auto put = [&](uint32_t value) {
    for (size_t i = 0; i < unit; ++i) {
      const size_t shift = 8 * (big_end_first ? unit - 1 - i : i);
      out.push_back(static_cast<char>(value >> shift & 0xFF));
    }
  };
  for (const char32_t c : text) {
    if (unit == 4 || c < 0x10000) {
      put(c);
    } else {
      put(0xD800 + ((c - 0x10000) >> 10));
      put(0xDC00 + ((c - 0x10000) & 0x3FF));
    }
  }
  return out;
}

std::string decoded(const std::string& bytes, size_t buffer_bytes) {
  const auto source = as_utf8(view_bytes(bytes), "test");
  std::string out, buffer(buffer_bytes, '\0');
  while (const size_t n = source->read(buffer)) out.append(buffer, 0, n);
  return out;
}

const std::u32string kText = U"caf\u00E9, \u65E5\u672C, \U0001F600 and ends.\r\n";
const std::string kUtf8 = "caf\xC3\xA9, \xE6\x97\xA5\xE6\x9C\xAC, \xF0\x9F\x98\x80 and ends.\r\n";

TEST(TextEncoding, EveryMarkedEncodingBecomesUtf8) {
  for (const size_t unit : {2, 4}) {
    for (const bool big : {false, true}) {
      std::u32string text = U"\uFEFF";
      std::string expected;
      for (int i = 0; i < 7000; ++i) text += kText, expected += kUtf8;  // beyond one read
      for (const size_t buffer : {5, 65536})
        EXPECT_EQ(decoded(encoded(text, unit, big), buffer), expected) << unit << big;
    }
  }
  EXPECT_EQ(decoded(kUtf8, 5), kUtf8);
  EXPECT_EQ(decoded("", 5), "");
}

TEST(TextEncoding, EveryCharacterSurvives) {
  std::u32string all = U"\uFEFF";
  for (char32_t c = 1; c < 0x110000; c += c < 0x3000 ? 1 : 37) {
    if (c < 0xD800 || c > 0xDFFF) all.push_back(c);
  }
  const std::string little = decoded(encoded(all, 2, false), 65536);
  int64_t replaced = 0;
  EXPECT_EQ(valid_utf8(little, &replaced), little);
  EXPECT_EQ(replaced, 0);
  for (const auto& [unit, big] : {std::pair<size_t, bool>{2, true}, {4, false}, {4, true}})
    EXPECT_EQ(decoded(encoded(all, unit, big), 65536), little);
}

TEST(TextEncoding, HalvesOfPairsAndCutCharactersAreCountedAsInvalid) {
  const std::string mark("\xFF\xFE", 2);
  const auto unit = [](int low, int high) {
    return std::string{static_cast<char>(low), static_cast<char>(high)};
  };
  EXPECT_EQ(decoded(mark + unit('a', 0) + unit(0x00, 0xD8) + unit('b', 0), 64),
            "a\xFF"
            "b");
  EXPECT_EQ(decoded(mark + unit('a', 0) + unit(0x00, 0xDC), 64), "a\xFF");
  EXPECT_EQ(decoded(mark + unit('a', 0) + unit(0x00, 0xD8), 64), "a\xFF");
  EXPECT_EQ(decoded(mark + unit('a', 0) + "b", 64), "a\xFF");
}

TEST(TextEncoding, Utf16WithoutAMarkIsNamed) {
  for (const bool big : {false, true}) {
    const std::string bytes = encoded(U"A text of plain letters.", 2, big);
    const std::string error = error_of([&] { decoded(bytes, 64); });
    EXPECT_NE(error.find(big ? "-f UTF-16BE" : "-f UTF-16LE"), std::string::npos) << error;
  }
  // Cyrillic letters have no zeros, only the blanks and digits between them have.
  for (const bool big : {false, true}) {
    std::u32string text;
    for (int i = 0; i < 20; ++i) text += U"слово 12 ";
    const std::string error = error_of([&] { decoded(encoded(text, 2, big), 64); });
    EXPECT_NE(error.find(big ? "-f UTF-16BE" : "-f UTF-16LE"), std::string::npos) << error;
  }
  EXPECT_EQ(decoded(std::string(3, '\0') + "mostly letters here", 64).size(), 22u);
}

TEST(Documents, FilesInUtf16AreText) {
  TestFolder folder;
  folder.write("a.txt", encoded(U"\uFEFF" + kText, 2, false));
  folder.write("b.jsonl",
               encoded(U"\uFEFF{\"text\": \"one\"}\r\n{\"text\": \"two\"}\r\n", 2, true));
  folder.write("c.json", "\xEF\xBB\xBF[{\"text\": \"three\"}]");
  std::vector<std::string> texts;
  const ReadCounts counts = read_documents(
      {folder.string()}, [&](Document&& document) { texts.push_back(document.text); });
  EXPECT_EQ(texts,
            (std::vector<std::string>{kUtf8.substr(0, kUtf8.size() - 2), "one", "two", "three"}));
  EXPECT_EQ(counts.invalid_bytes, 0);
}

}  // namespace
}  // namespace bitlaw
