#include "table/missing.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "base/text.h"
#include "table/words.h"

namespace bitlaw {

bool is_missing_word_in_any_case(std::string_view text) {
  constexpr std::string_view kWords[] = {
      "na", "n/a",    "#n/a",   "nan", "none",    "null", "nil",  "-",         "--", "---",
      "?",  "\u2013", "\u2014", ".",   "missing", "<na>", "n.a.", "undefined", "\\n"};
  std::string lower = trim(std::string(text));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return is_one_of(std::string_view(lower), kWords);
}

}  // namespace bitlaw
