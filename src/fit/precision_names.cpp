#include "fit/precision_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "laws/observation.h"

namespace bitlaw {
namespace {

constexpr std::string_view kReference[] = {
    "",       "16",      "16.0",     "bf16", "fp16",    "fp32",      "none", "noquantizer",
    "w16a16", "float16", "bfloat16", "32",   "float32", "w16a16kv16"};

constexpr std::pair<std::string_view, const char*> kOtherNames[] = {
    {"", "bf16"},         {"none", "bf16"},    {"fp16", "bf16"},  {"float16", "bf16"},
    {"bfloat16", "bf16"}, {"float32", "fp32"}, {"fp4", "e2m1"},   {"mxfp4", "e2m1"},
    {"nvfp4", "e2m1"},    {"fp8", "e4m3"},     {"mxfp8", "e4m3"}, {"e4m3fn", "e4m3"},
};

std::string lower_case(const std::string& text) {
  std::string lower = trim(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool is_float_name(const std::string& name) {  // eXmY
  return name.size() == 4 && name[0] == 'e' && std::isdigit(static_cast<unsigned char>(name[1])) &&
         name[2] == 'm' && std::isdigit(static_cast<unsigned char>(name[3]));
}

// Takes `letter` and the number behind it from the front of `text`; NaN where it begins otherwise.
double take_bits(std::string_view& text, std::string_view letter) {
  if (!text.starts_with(letter)) return kUnknown;
  double bits = 0;
  const char* begin = text.data() + letter.size();
  const auto [end, error] =
      std::from_chars(begin, text.data() + text.size(), bits, std::chars_format::fixed);
  if (error != std::errc() || !(bits >= 1 && bits <= 64)) return kUnknown;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return bits;
}

}  // namespace

bool is_reference_class(const std::string& text) {
  return std::find(std::begin(kReference), std::end(kReference), lower_case(text)) !=
         std::end(kReference);
}

Format format_named(const std::string& text) {
  const std::string name = lower_case(text);
  for (const auto& [other, ours] : kOtherNames) {
    if (name == other) return parse_format(ours);
  }
  return parse_format(name);
}

std::optional<NamedPrecision> named_precision(const std::string& text) {
  NamedPrecision named{kUnknown, kUnknown, kUnknown, kUnknown, kUnknown};
  const std::string name = lower_case(text);
  std::string_view rest = name;
  named.weights = take_bits(rest, "w");
  if (!std::isnan(named.weights)) {
    named.activations = take_bits(rest, "a");
    named.kv = take_bits(rest, "kv");
    take_bits(rest, "g");
    if (!rest.empty() || std::isnan(named.activations)) return std::nullopt;
    return named;
  }
  for (const auto& [other, ours] : kOtherNames) {
    if (name == other && is_float_name(ours)) return named_precision(ours);
  }
  if (!is_float_name(name) || name[1] < '2' || name[1] > '7') return std::nullopt;
  const Format format = parse_format(name);
  named.weights = named.activations = format.bits;
  named.exponent_bits = format.exponent_bits;
  named.mantissa_bits = format.mantissa_bits;
  return named;
}

}  // namespace bitlaw
