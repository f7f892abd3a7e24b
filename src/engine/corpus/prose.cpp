#include <utf8proc.h>

#include <algorithm>
#include <array>

#include "corpus/one_line.h"
#include "corpus/paragraphs.h"

namespace bitlaw {
namespace {

// In order, for a binary search.
constexpr auto kStopWords = std::to_array<std::string_view>(
    {"a",     "about", "after",   "all",  "also",   "an",    "and",   "any",  "are",   "as",
     "at",    "be",    "because", "been", "before", "but",   "by",    "can",  "could", "do",
     "does",  "each",  "for",     "from", "had",    "has",   "have",  "how",  "if",    "in",
     "into",  "is",    "it",      "its",  "may",    "more",  "most",  "must", "no",    "not",
     "of",    "on",    "one",     "only", "or",     "other", "out",   "over", "same",  "should",
     "so",    "some",  "such",    "than", "that",   "the",   "their", "them", "then",  "there",
     "these", "they",  "this",    "to",   "up",     "use",   "used",  "was",  "we",    "when",
     "where", "which", "while",   "who",  "will",   "with",  "would", "you",  "your"});

bool is_letter(utf8proc_int32_t point) {
  if (point < 0x80) return (point >= 'A' && point <= 'Z') || (point >= 'a' && point <= 'z');
  switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return true;
    default:
      return false;
  }
}

bool is_mostly_letters(std::string_view text) {
  int64_t characters = 0, letters = 0;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto size = static_cast<utf8proc_ssize_t>(text.size());
  for (utf8proc_ssize_t i = 0; i < size; ++characters) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t taken = utf8proc_iterate(bytes + i, size - i, &point);
    i += std::max<utf8proc_ssize_t>(taken, 1);
    letters += taken > 0 && (point == ' ' || is_letter(point));
  }
  return characters >= kFewestCharacters &&
         static_cast<double>(letters) >= kFewestLetters * static_cast<double>(characters);
}

bool has_stop_words(std::string_view text) {
  int64_t words = 0, stop_words = 0;
  std::string word;
  const auto end_word = [&] {
    if (word.empty()) return;
    ++words;
    stop_words += std::binary_search(kStopWords.begin(), kStopWords.end(), std::string_view(word));
    word.clear();
  };
  for (const char byte : text) {
    const char lower = byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
    if ((lower >= 'a' && lower <= 'z') || lower == '\'')
      word += lower;
    else
      end_word();
  }
  end_word();
  return static_cast<double>(stop_words) >=
         kFewestStopWords * static_cast<double>(std::max<int64_t>(1, words));
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  bool space = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("\u00b6")) {
      ++i;
    } else if (rest.starts_with("\u200b") || rest.starts_with("\ufeff")) {
      i += 2;
    } else if (rest.starts_with("\u00a0")) {
      space = true;
      ++i;
    } else if (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r') || text[i] == '\0') {
      space = true;
    } else {
      if (space && !line.empty()) line += ' ';
      space = false;
      line += text[i];
    }
  }
  return line;
}

bool is_prose(std::string_view paragraph) {
  return paragraph.size() >= static_cast<size_t>(kFewestCharacters) &&
         is_mostly_letters(paragraph) && has_stop_words(paragraph);
}

}  // namespace bitlaw
