#include "tokenizer/pretokenizer.h"

#include <gtest/gtest.h>

#include "tokenizer/text_normalizer.h"

namespace bitlaw {
namespace {

using Pieces = std::vector<std::string>;

Pieces cut(const std::string& json, std::string_view text, bool at_start = true) {
  const PreTokenizer pretokenizer(Json::parse(json), "test");
  Pieces pieces;
  pretokenizer.split(text, at_start, [&](std::string_view piece) { pieces.emplace_back(piece); });
  return pieces;
}

std::string split_on_dashes(const std::string& behavior, bool invert = false) {
  return Json{
      {"type", "Split"}, {"pattern", {{"String", "-"}}}, {"behavior", behavior}, {"invert", invert}}
      .dump();
}

// The example of the library's documentation.
TEST(PreTokenizer, BehaviorsOfSplit) {
  const std::string text = "the-final--countdown";
  EXPECT_EQ(cut(split_on_dashes("Removed"), text), (Pieces{"the", "final", "countdown"}));
  EXPECT_EQ(cut(split_on_dashes("Isolated"), text),
            (Pieces{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(cut(split_on_dashes("MergedWithPrevious"), text),
            (Pieces{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(cut(split_on_dashes("MergedWithNext"), text),
            (Pieces{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(cut(split_on_dashes("Contiguous"), text),
            (Pieces{"the", "-", "final", "--", "countdown"}));
  EXPECT_EQ(cut(split_on_dashes("Removed", true), text), (Pieces{"-", "-", "-"}));
}

TEST(PreTokenizer, PiecesTogetherAreTheText) {
  const std::string text = "It's 1234 \xC3\xA9t\xC3\xA9s,  and\n\n more...  ";
  for (const char* json : {"null", R"({"type": "ByteLevel", "add_prefix_space": false})",
                           R"({"type": "Digits", "individual_digits": true})"}) {
    std::string together;
    for (const std::string& piece : cut(json, text)) together += piece;
    EXPECT_EQ(together, text) << json;
  }
}

TEST(PreTokenizer, SpaceInFront) {
  const std::string byte_level = R"({"type": "ByteLevel", "add_prefix_space": true})";
  EXPECT_EQ(cut(byte_level, "a b"), (Pieces{" a", " b"}));
  EXPECT_EQ(cut(byte_level, " a b", false), (Pieces{" a", " b"}));
  const auto metaspace = [](const char* scheme) {
    return Json{{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", scheme}}.dump();
  };
  EXPECT_EQ(cut(metaspace("always"), "a b", false), (Pieces{"_a", "_b"}));
  EXPECT_EQ(cut(metaspace("first"), "a b", true), (Pieces{"_a", "_b"}));
  EXPECT_EQ(cut(metaspace("first"), "a b", false), (Pieces{"a", "_b"}));
  EXPECT_EQ(cut(metaspace("never"), "a  b"), (Pieces{"a", "_", "_b"}));
}

std::string normalized(const char* type, std::string_view text) {
  return TextNormalizer(Json{{"type", type}}, "test")(text);
}

TEST(TextNormalizer, NormalForms) {
  EXPECT_EQ(normalized("NFC", "xe\xCC\x81y"), "x\xC3\xA9y");
  EXPECT_EQ(normalized("NFD", "x\xC3\xA9y"), "xe\xCC\x81y");
  EXPECT_EQ(normalized("NFKC", "\xEF\xAC\x81"), "fi");
  EXPECT_EQ(normalized("NFC", "\xEF\xAC\x81"), "\xEF\xAC\x81");
  // Marks are put in order of their classes; U+09FE came after Unicode 9 and stays where it is.
  EXPECT_EQ(normalized("NFC", "\xCC\x81\xCC\xA3"), "\xCC\xA3\xCC\x81");
  EXPECT_EQ(normalized("NFC", "\xE0\xA7\xBE\xCC\xA3"), "\xE0\xA7\xBE\xCC\xA3");
}

TEST(TextNormalizer, ReplacesAndPrepends) {
  const TextNormalizer llama2(Json::parse(R"({"type": "Sequence", "normalizers": [
      {"type": "Prepend", "prepend": "_"},
      {"type": "Replace", "pattern": {"String": " "}, "content": "_"}]})"),
                              "test");
  EXPECT_EQ(llama2("a b  c"), "_a_b__c");
  EXPECT_EQ(llama2(""), "");
}

}  // namespace
}  // namespace bitlaw
