#include "base/number.h"

#include <charconv>
#include <cmath>

namespace bitlaw {
namespace {

std::string_view without_blanks(std::string_view text) {
  constexpr const char* kBlanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// 1 if the letter is not the suffix of a count.
double suffix_factor(char letter) {
  switch (letter) {
    case 'k':
    case 'K':
      return 1e3;
    case 'm':
    case 'M':
      return 1e6;
    case 'b':
    case 'B':
    case 'g':
    case 'G':
      return 1e9;
    case 't':
    case 'T':
      return 1e12;
    default:
      return 1;
  }
}

bool begins_with_whole(std::string_view text) {
  return !text.empty() && is_digit(text[0]) &&
         !(text[0] == '0' && text.size() > 1 && is_digit(text[1]));
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  text = without_blanks(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<double> parse_finite(std::string_view text) {
  const auto value = parse_number(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<double> parse_positive(std::string_view text) {
  const auto value = parse_finite(text);
  return value && *value > 0 ? value : std::nullopt;
}

std::optional<double> parse_count(std::string_view text) {
  text = without_blanks(text);
  if (text.empty()) return std::nullopt;
  const double factor = suffix_factor(text.back());
  if (factor == 1) return parse_number(text);
  const auto value = parse_number(text.substr(0, text.size() - 1));
  if (!value) return std::nullopt;
  return *value * factor;
}

std::optional<double> parse_bytes(std::string_view text) {
  text = without_blanks(text);
  const auto is = [](char one, char lower) { return one == lower || one == lower - 'a' + 'A'; };
  if (text.empty() || !is(text.back(), 'b')) return std::nullopt;
  text.remove_suffix(1);
  const bool binary = !text.empty() && is(text.back(), 'i');
  if (binary) text.remove_suffix(1);
  double factor = 1;
  constexpr std::string_view kUnits = "kmgt";
  for (size_t i = 0; i < kUnits.size() && factor == 1; ++i) {
    if (!text.empty() && is(text.back(), kUnits[i]))
      factor = std::pow(binary ? 1024.0 : 1000.0, static_cast<double>(i + 1));
  }
  if (factor != 1) text.remove_suffix(1);
  if (binary && factor == 1) return std::nullopt;
  const auto value = parse_positive(text);
  if (!value) return std::nullopt;
  return *value * factor;
}

std::optional<int> take_whole(std::string_view& text) {
  if (!begins_with_whole(text)) return std::nullopt;
  int value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(rest - text.data()));
  return value;
}

std::optional<int> parse_whole(std::string_view text) {
  text = without_blanks(text);
  const auto value = take_whole(text);
  return text.empty() ? value : std::nullopt;
}

std::optional<double> take_decimal(std::string_view& text) {
  if (!begins_with_whole(text)) return std::nullopt;
  double value = 0;
  const auto [rest, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(rest - text.data()));
  return value;
}

}  // namespace bitlaw
