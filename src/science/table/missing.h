// Words that tables have for a value that is not there: NA (R), NaN and None (pandas), null (SQL), -.
#pragma once

#include <cstddef>
#include <string_view>

namespace bitlaw {

// Of a text that begins as such words do.
bool is_missing_word_in_any_case(std::string_view text);

// In any case; "" is none of them. Nearly every field begins as none of them, or is longer.
inline bool is_missing_word(std::string_view text) {
  constexpr size_t kLongest = 12;
  constexpr std::string_view kFirst = "nNmMuU#-?.<\\ \xe2";
  return !text.empty() && text.size() <= kLongest && kFirst.find(text[0]) != kFirst.npos &&
         is_missing_word_in_any_case(text);
}

}  // namespace bitlaw
