#include "table/factor_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string_view>

#include "base/number.h"
#include "base/text.h"
#include "table/missing.h"
#include "table/words.h"

namespace bitlaw {
namespace {

constexpr std::string_view kNothing[] = {"", "unknown"};  // besides missing.h
constexpr std::string_view kTrue[] = {"true", "yes", "t", "1", "1.0"};
constexpr std::string_view kFalse[] = {"false", "no", "f", "0", "0.0"};

bool is_switch(std::string_view name) {
  return name == "extra_norm" || name == "tied_head";
}

// Names that somebody gave: case may tell them apart.
bool is_a_name(std::string_view name) {
  return name == "data_hash" || name == "validation_hash" || name == "tokenizer" ||
         name == "evaluation_hash" || name == "calibration_hash";
}

}  // namespace

std::string factor_value(const Factor& factor, const std::string& field) {
  const std::string text = trim(field);
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  const std::string_view name = factor.name;
  const bool nothing = is_missing_word(text) || is_one_of(lower, kNothing);
  if (nothing && !(name == "schedule" && lower == "none")) return "";
  if (!factor.is_text()) {
    const auto number = parse_count(text);
    return number && std::isfinite(*number) ? fmt::format("{:.12g}", *number) : lower;
  }
  if (is_a_name(name)) return text;
  if (is_switch(name)) {
    if (is_one_of(lower, kTrue)) return "true";
    if (is_one_of(lower, kFalse)) return "false";
  }
  if (name.starts_with("granularity_") &&
      (lower.starts_with("per-") || lower.starts_with("per_") || lower.starts_with("per ")))
    return lower.substr(4);
  return lower;
}

}  // namespace bitlaw
