#include "table/precision_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
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

// Takes `letters` and the number behind them from the front of `text`; 16 and false where it begins
// otherwise.
bool take_bits(std::string_view& text, std::string_view letters, double& bits) {
  bits = kUnquantizedBits;
  if (!text.starts_with(letters)) return false;
  const char* begin = text.data() + letters.size();
  double read = 0;
  const auto [end, error] =
      std::from_chars(begin, text.data() + text.size(), read, std::chars_format::fixed);
  if (error != std::errc() || !(read >= 1)) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  bits = std::min(read, kUnquantizedBits);
  return true;
}

std::optional<NamedPrecision> bits_by_part(const std::string& name) {
  NamedPrecision named{"", kUnquantizedBits, kUnquantizedBits, kUnquantizedBits, std::nullopt};
  std::string_view rest = name;
  if (!take_bits(rest, "w", named.weights) || !take_bits(rest, "a", named.activations))
    return std::nullopt;
  take_bits(rest, "kv", named.kv);
  named.name = fmt::format("W{:g}A{:g}", named.weights, named.activations);
  if (named.kv < kUnquantizedBits) named.name += fmt::format("KV{:g}", named.kv);
  double group = 0;
  const std::string_view suffix = rest;
  if (take_bits(rest, "g", group)) named.name += suffix;
  if (!rest.empty()) return std::nullopt;
  return named;
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
  const std::string name = lower_case(text);
  if (name.starts_with("w")) return bits_by_part(name);
  for (const auto& [other, ours] : kOtherNames) {
    if (name != other || !is_float_name(ours)) continue;
    const Format format = parse_format(ours);
    return NamedPrecision{text, double(format.bits), double(format.bits), kUnquantizedBits, format};
  }
  if (!is_float_name(name) || name[1] < '2' || name[1] > '7') return std::nullopt;
  const Format format = parse_format(name);
  const double bits = std::min<double>(format.bits, kUnquantizedBits);
  return NamedPrecision{text, bits, bits, kUnquantizedBits, format};
}

}  // namespace bitlaw
