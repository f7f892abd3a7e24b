#include "tokenizer/split_pattern.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace bitlaw {
namespace {

std::vector<std::string> matches(std::string_view pattern, std::string_view text) {
  const SplitPattern compiled(pattern, "test");
  SplitPattern::Matches all(compiled, text);
  std::vector<std::string> found;
  while (const auto match = all.next())
    found.emplace_back(text.substr(match->first, match->second - match->first));
  return found;
}
using Found = std::vector<std::string>;

TEST(SplitPattern, TakesWhatBothReadAlikeAsItIs) {
  for (const char* same : {"a|b", "\\p{L}+", "[^\\r\\n\\p{L}\\p{N}]?\\p{Lu}", "\\d{1,3}?", "x++y?+",
                           "(?i:'s|'t)|(?!a)b(?=c)", "\\.\\[\\-", "[\\-\\]a-z]", "[/#']"})
    EXPECT_EQ(pcre_of_oniguruma(same, "test"), same);
}

TEST(SplitPattern, WritesAnewWhatTheyReadDifferently) {
  EXPECT_EQ(pcre_of_oniguruma("\\s[^\\s]\\S", "test"),
            "\\p{White_Space}[^\\p{White_Space}]\\P{White_Space}");
  EXPECT_EQ(pcre_of_oniguruma("\\p{Han}\\p{^Greek}", "test"), "\\p{sc:Han}\\p{^sc:Greek}");
  EXPECT_EQ(pcre_of_oniguruma("\\u4E00\\x{1F600}\\x41", "test"), "\\x{4E00}\\x{1F600}\\x{41}");
  EXPECT_EQ(matches("\\w+", "ae\xCC\x81_1 -b"), (Found{"ae\xCC\x81_1", "b"}));
  EXPECT_EQ(matches("\\s", "\xE1\xA0\x8E\xC2\x85"), Found{"\xC2\x85"});  // U+180E is no white space
  EXPECT_EQ(matches("^a$", "a\nb\na"), (Found{"a", "a"}));
}

TEST(SplitPattern, RefusesWhatItCannotWrite) {
  for (const char* other :
       {"\\h",    "\\v",         "\\b",       "\\W[\\W]", "a{1,3}+", "a{2}?",
        "a{,3}",  "[[:alpha:]]", "[a&&b]",    "[]a]",     "[a",      "(?m:a)",
        "a(?i)b", "(?<name>a)",  "(*ACCEPT)", "\\1",      "\\xE9",   "\\x{110000000}",
        "\\pL",   "\\p{L&}",     "\\K",       "\\Qa\\E",  "a\\",     "\\p{NoSuchScript}",
        "("})
    EXPECT_THROW(SplitPattern(other, "test"), Error) << other;
}

TEST(SplitPattern, EmptyMatchesDoNotFollowAMatch) {
  EXPECT_EQ(matches("a*", "baa\xC3\xA9"), (Found{"", "aa", ""}));
  EXPECT_EQ(matches("", "\xC3\xA9"), (Found{"", ""}));
}

TEST(SplitPattern, GivesUpOnExponentialCost) {
  EXPECT_THROW(matches("(?:(?:a+)+)+b", std::string(60, 'a') + "cb"), Error);
}

TEST(SplitPattern, LiteralTextHasNoOperators) {
  const SplitPattern dot = SplitPattern::of_text(".*");
  SplitPattern::Matches all(dot, "a.*b");
  EXPECT_EQ(all.next(), (std::pair<size_t, size_t>{1, 3}));
  EXPECT_EQ(all.next(), std::nullopt);
}

}  // namespace
}  // namespace bitlaw
