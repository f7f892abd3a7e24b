// Regular expressions of tokenizer.json. They are written for Oniguruma with Ruby syntax, which the
// `tokenizers` library uses; here PCRE2 runs them. The two agree on most of what such patterns use.
// Where they differ, the pattern is rewritten or refused by name:
//
//   \s \S    Unicode's White_Space       (PCRE2 adds U+180E)
//   \w \W    letters, marks, digits, connectors  (PCRE2 10.42 has no marks)
//   \p{Han}  only the script             (PCRE2 includes script extensions)
//   ^ $      at every line
//   \h \v \b [[:alpha:]] [a&&b] x{1,3}+ ...  refused
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/json_fields.h"

namespace bitlaw {

// The equivalent PCRE2 pattern. Error (naming `where`) for syntax that the two read differently.
std::string pcre_of_oniguruma(std::string_view pattern, const std::string& where);

class SplitPattern {
 public:
  // Error (naming `where`) for a pattern that is invalid or not supported.
  SplitPattern(std::string_view oniguruma, const std::string& where);
  static SplitPattern of_text(std::string_view literal);  // matches exactly this text
  ~SplitPattern();
  SplitPattern(SplitPattern&&) noexcept;
  SplitPattern& operator=(SplitPattern&&) noexcept;

  // The matches in a valid UTF-8 text from left to right, including empty ones, except an empty one
  // directly after another match. Several threads can use the same pattern, each with its own
  // Matches.
  class Matches {
   public:
    Matches(const SplitPattern& pattern, std::string_view text);
    ~Matches();
    Matches(const Matches&) = delete;
    Matches& operator=(const Matches&) = delete;
    // [begin, end) in bytes. Error if PCRE2 gives up (a pattern of exponential cost).
    std::optional<std::pair<size_t, size_t>> next();

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

 private:
  SplitPattern() = default;
  struct Code;
  std::unique_ptr<Code> code_;
};

// The field `pattern` of a Split or a Replace: {"Regex": ...} or {"String": ...}.
SplitPattern read_split_pattern(const JsonFields& fields);

}  // namespace bitlaw
