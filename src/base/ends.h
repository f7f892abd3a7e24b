// A range in text, "LOW..HIGH", as its two ends.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/text.h"

namespace bitlaw {

// Without blanks around them; nullopt if there is no "..".
inline std::optional<std::pair<std::string, std::string>> split_ends(const std::string& text) {
  const size_t dots = text.find("..");
  if (dots == std::string::npos) return std::nullopt;
  return std::pair{trim(text.substr(0, dots)), trim(text.substr(dots + 2))};
}

}  // namespace bitlaw
