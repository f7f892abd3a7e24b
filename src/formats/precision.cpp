#include "formats/precision.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "formats/weight_scheme.h"

namespace bitlaw {
namespace {

constexpr double kMostBits = 32;
constexpr double kScaleBits = 16;  // of a group of weights: what GPTQ, AWQ and GGUF files store

// Other names of one format.
constexpr struct {
  const char *name, *format;
} kOtherNames[] = {
    {"none", "bf16"},        {"noquantizer", "bf16"}, {"bfloat16", "bf16"},
    {"16.0", "bf16"},        {"fp16", "e5m10"},       {"float16", "e5m10"},
    {"float32", "fp32"},     {"fp4", "e2m1"},         {"fp8", "e4m3"},
    {"e4m3fn", "e4m3"},      {"mxfp8", "mxfp8-e4m3"}, {"float8_e4m3fn", "e4m3"},
    {"float8_e5m2", "e5m2"},
};

// Names that say bits but not the format behind them.
constexpr struct {
  const char* name;
  double bits;
  int group;
  double scale_bits;
} kBitsAlone[] = {
    {"mxfp6", 6, 32, 8},  // e2m3 or e3m2
    {"nf4", 4, 64, 32},   // Dettmers et al. 2023, arXiv 2305.14314, without double quantization
};

std::string lower_case(std::string_view text) {
  std::string lower = trim(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

PartPrecision part_in(const Format& format) {
  const double bits = format.bits;
  return {bits, bits, 0, format};
}

PartPrecision part_in(const WeightScheme& scheme) {
  return {double(scheme.format.bits), storage_bits(scheme, scheme.group), scheme.group,
          scheme.format, scheme.scales};
}

std::optional<PartPrecision> part_named(std::string_view name);

// "int4-e8m0": codes with rounded scales.
std::optional<PartPrecision> with_rounded_scales(std::string_view name) {
  for (const ScaleRule scales : {ScaleRule::kE8M0, ScaleRule::kE4M3}) {
    const std::string_view ending = ending_of(scales);
    if (!name.ends_with(ending)) continue;
    auto codes = part_named(name.substr(0, name.size() - ending.size()));
    if (!codes || !codes->format || !codes->format->scaled() || codes->group > 0 ||
        codes->scales != ScaleRule::kFloat32)
      return std::nullopt;
    codes->scales = scales;
    return codes;
  }
  return std::nullopt;
}

// Of codes that are integers where such a format exists.
std::optional<PartPrecision> part_of_bits(double bits) {
  if (!(bits >= 1 && bits <= kMostBits)) return std::nullopt;
  if (const auto format = find_format(fmt::format("{:g}", bits))) return part_in(*format);
  return PartPrecision{bits, bits, 0, std::nullopt};
}

std::optional<PartPrecision> part_named(std::string_view name) {
  for (const auto& other : kOtherNames) {
    if (name == other.name) return part_named(other.format);
  }
  if (const auto scheme = find_block_format(name)) return part_in(*scheme);
  if (const auto format = find_format(name)) return part_in(*format);
  for (const auto& each : kBitsAlone) {
    if (name != each.name) continue;
    return PartPrecision{each.bits, each.bits + each.scale_bits / each.group, each.group,
                         std::nullopt};
  }
  if (const auto part = with_rounded_scales(name)) return part;
  const bool is_float = name.starts_with("fp");  // fp6: e2m3 or e3m2
  name.remove_prefix(is_float ? 2 : name.starts_with("int") ? 3 : 0);
  const auto bits = parse_whole(name);
  if (!bits || !(*bits >= 1 && *bits < kUnquantizedBits)) return std::nullopt;
  return PartPrecision{double(*bits), double(*bits), 0, std::nullopt};
}

// What training frameworks call runs of 16 bits and more: "bf16-mixed", "amp_bfloat16",
// "torch.bfloat16", "32-true", "full precision", "p=f32,c=bf16". Every word is one of these, and at
// least one is a type, or the whole is a name of its own.
constexpr std::string_view kTypes[] = {"bf16", "bfloat16", "fp16",  "float16", "f16",    "half",
                                       "fp32", "float32",  "f32",   "tf32",    "float",  "single",
                                       "fp64", "float64",  "f64",   "double",  "16",     "32",
                                       "64",   "16bit",    "32bit", "64bit",   "16bits", "32bits"};
constexpr std::string_view kBesideTypes[] = {
    "mixed", "true",      "pure",  "amp",      "full",      "native",
    "apex",  "bit",       "bits",  "autocast", "dtype",     "training",
    "train", "precision", "class", "baseline", "reference", "ref"};
constexpr std::string_view kWholeNames[] = {"amp",
                                            "full",
                                            "full precision",
                                            "no",
                                            "no quant",
                                            "no quantization",
                                            "not quantized",
                                            "non quantized",
                                            "unquantized",
                                            "unquantised",
                                            "noquant"};

template <size_t Count>
bool is_among(std::string_view word, const std::string_view (&words)[Count]) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

// "bfloat16" of "torch.bfloat16" and of "c=bfloat16".
std::string_view without_module(std::string_view word) {
  word.remove_prefix(word.rfind('=') + 1);  // 0 if there is none
  const bool is_name = !word.empty() && std::isalpha(static_cast<unsigned char>(word[0]));
  if (is_name) word.remove_prefix(word.rfind('.') + 1);
  return word;
}

bool is_label_of_16_bits(std::string_view lower) {
  constexpr std::string_view kBetween = " -_/,;+<>'\"()";
  std::string joined;
  bool any_type = false, all_known = true;
  while (true) {
    lower.remove_prefix(std::min(lower.find_first_not_of(kBetween), lower.size()));
    if (lower.empty()) break;
    const size_t end = std::min(lower.find_first_of(kBetween), lower.size());
    const std::string_view word = without_module(lower.substr(0, end));
    lower.remove_prefix(end);
    const bool is_type = is_among(word, kTypes);
    any_type = any_type || is_type;
    all_known = all_known && (is_type || is_among(word, kBesideTypes));
    joined += (joined.empty() ? "" : " ") + std::string(word);
  }
  return (any_type && all_known) || is_among(joined, kWholeNames);
}

constexpr const char* kSigns = " -_/,";  // may stand between parts: W4-A4

// Takes "w4" from the front of `rest` for the letter w. False if it does not begin so; `part` is
// empty then, or if there is no such number of bits.
bool take_part(std::string_view& rest, std::string_view letters,
               std::optional<PartPrecision>& part) {
  std::string_view behind = rest;
  if (!behind.starts_with(letters)) return false;
  behind.remove_prefix(letters.size());
  const auto bits = take_decimal(behind);
  if (!bits) return false;
  part = part_of_bits(*bits);
  rest = behind;
  return true;
}

// "g128", also behind a sign.
bool take_group(std::string_view& rest, PartPrecision& weights) {
  std::string_view behind = rest;
  behind.remove_prefix(std::min(behind.find_first_not_of(kSigns), behind.size()));
  if (!behind.starts_with('g')) return false;
  behind.remove_prefix(1);
  const auto group = take_whole(behind);
  if (!group || *group == 0) return false;
  weights.group = *group;
  weights.storage_bits = weights.bits + kScaleBits / *group;
  rest = behind;
  return true;
}

std::string spelling(const NamedPrecision& named) {
  std::string out = fmt::format("W{:g}A{:g}", named.weights.bits, named.activations.bits);
  if (named.kv.quantized()) out += fmt::format("KV{:g}", named.kv.bits);
  if (named.queries.quantized()) out += fmt::format("Q{:g}", named.queries.bits);
  if (named.weights.group > 0) out += fmt::format("g{}", named.weights.group);
  return out;
}

// "a4", "kv4q4", "a16g128". Bits that no part can have are none: a100.
bool has_only_parts(std::string_view text) {
  const size_t group = text.find('g');
  if (group != std::string_view::npos && !parse_whole(text.substr(group + 1))) return false;
  text = text.substr(0, group);
  if (text.empty()) return false;
  while (!text.empty()) {
    const bool is_kv = text.starts_with("kv");
    if (!is_kv && std::string_view("waq").find(text[0]) == std::string_view::npos) return false;
    text.remove_prefix(is_kv ? 2 : 1);
    const auto bits = take_decimal(text);
    if (!bits || !part_of_bits(*bits)) return false;
  }
  return true;
}

// Whether every part of `more` comes behind those of `parts`: weights, activations, kv, queries.
bool goes_on(std::string_view parts, std::string_view more) {
  constexpr std::string_view kOrder = "wakq";
  const size_t last = parts.find_last_of(kOrder), first = more.find_first_of(kOrder);
  return last != std::string_view::npos && first != std::string_view::npos &&
         kOrder.find(parts[last]) < kOrder.find(more[first]);
}

// "W4A4KV4-hadamard" of "W4 A4-hadamard-KV4": the parts are brought together, without the signs
// between them, and what else the name says is its ending.
std::string join_parts(std::string_view written) {
  const std::string lower = lower_case(written);
  size_t end = std::min(lower.find_first_of(kSigns), lower.size());
  std::string parts(written.substr(0, end)), ending;
  if (!has_only_parts(std::string_view(lower).substr(0, end))) return std::string(written);
  while (end < lower.size()) {
    const size_t begin = std::min(lower.find_first_not_of(kSigns, end), lower.size());
    const size_t next = std::min(lower.find_first_of(kSigns, begin), lower.size());
    const std::string_view word = std::string_view(lower).substr(begin, next - begin);
    const bool of_gguf = word.starts_with('q') && lower.substr(next).starts_with('_');  // q4_0
    if (of_gguf) break;
    if (has_only_parts(word) && (ending.empty() || goes_on(lower_case(parts), word))) {
      parts += written.substr(begin, next - begin);
    } else {
      ending += written.substr(end, next - end);
    }
    end = next;
  }
  return parts + ending + std::string(written.substr(end));
}

// W4, W4A4, A8, W4 A4, W4A4KV4Q4, W4A16g128, W4A4-hadamard, W4A4-hadamard-KV4.
std::optional<NamedPrecision> read_parts(std::string_view written) {
  NamedPrecision named;
  const std::string joined = join_parts(written), lower = lower_case(joined);
  std::string_view rest = lower;
  bool any = false;
  for (const auto& [letters, part] : {std::pair("w", &NamedPrecision::weights),
                                      {"a", &NamedPrecision::activations},
                                      {"kv", &NamedPrecision::kv},
                                      {"q", &NamedPrecision::queries}}) {
    std::optional<PartPrecision> read;
    if (!take_part(rest, letters, read)) continue;
    if (!read) return std::nullopt;
    named.*part = *read;
    named.says_kv |= part == &NamedPrecision::kv;
    any |= part != &NamedPrecision::queries;  // Q4 alone is a format of GGUF
  }
  if (!any) return std::nullopt;
  if (named.weights.quantized()) take_group(rest, named.weights);
  if (!rest.empty() && std::isalnum(static_cast<unsigned char>(rest[0]))) return std::nullopt;
  named.name = spelling(named);
  if (rest.empty() && named.name == "W16A16") named.name = "BF16";
  named.name += joined.substr(joined.size() - rest.size());  // "-hadamard"
  named.ending = rest;
  return named;
}

}  // namespace

bool NamedPrecision::quantized() const {
  return weights.quantized() || activations.quantized() || kv.quantized() || queries.quantized();
}

bool NamedPrecision::has_parts_of(const NamedPrecision& other) const {
  return weights == other.weights && activations == other.activations && kv == other.kv &&
         queries == other.queries;
}

std::optional<NamedPrecision> named_precision(std::string_view text) {
  const std::string written = trim(text), lower = lower_case(text);
  if (lower.empty()) return NamedPrecision{};
  if (auto named = read_parts(written)) return named;
  const auto part = part_named(lower);
  if (!part && is_label_of_16_bits(lower)) return NamedPrecision{};
  if (!part) return std::nullopt;
  NamedPrecision named;
  named.weights = *part;
  if (lower != "nf4") named.activations = *part;  // which is a format of weights
  if (part->bits != kUnquantizedBits) named.name = written;
  if (part->format == fp32_format()) {  // which holds for all parts
    named.kv = named.queries = *part;
    named.name = "FP32";
  }
  return named;
}

bool is_same_precision(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto one = named_precision(a), other = named_precision(b);
  if (!one || !other) return false;
  if (!one->quantized() && !other->quantized()) return true;
  return one->has_parts_of(*other) && one->ending == other->ending;
}

bool is_unquantized(std::string_view text) {
  const auto named = named_precision(text);
  return named && !named->quantized();
}

std::optional<PartPrecision> find_part_precision(std::string_view text) {
  return part_named(lower_case(text));
}

PartPrecision part_precision(std::string_view text) {
  if (const auto part = find_part_precision(text)) return *part;
  return part_in(parse_format(lower_case(text)));  // throws
}

double law_bits(const Format& format) {
  return part_in(format).law_bits();
}

}  // namespace bitlaw
