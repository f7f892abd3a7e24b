#include "formats/weight_scheme.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "formats/precision.h"
#include "formats/quantizer.h"

namespace bitlaw {
namespace {

constexpr int kMostAsymmetricBits = 8;

struct BlockFormat {
  const char* name;
  const char* element;
  int group;
  ScaleRule scales;
};
constexpr BlockFormat kBlockFormats[] = {
    {"mxfp4", "e2m1", 32, ScaleRule::kE8M0},      {"mxfp6-e2m3", "e2m3", 32, ScaleRule::kE8M0},
    {"mxfp6-e3m2", "e3m2", 32, ScaleRule::kE8M0}, {"mxfp8-e4m3", "e4m3", 32, ScaleRule::kE8M0},
    {"mxfp8-e5m2", "e5m2", 32, ScaleRule::kE8M0}, {"mxint8", "int8", 32, ScaleRule::kE8M0},
    {"nvfp4", "e2m1", 16, ScaleRule::kE4M3},
};

const BlockFormat* published(const WeightScheme& scheme) {
  for (const BlockFormat& known : kBlockFormats) {
    if (scheme.format == parse_format(known.element) && scheme.group == known.group &&
        scheme.scales == known.scales)
      return &known;
  }
  return nullptr;
}

std::vector<std::string> usual_names() {
  std::vector<std::string> names = block_format_names();
  for (int bits = 2; bits <= 8; ++bits) {
    for (const char* ending : {"", "-asym", "-clip", "-gauss", "-asym-clip"})
      names.push_back(fmt::format("int{}{}", bits, ending));
  }
  for (const char* format : kUsualFloats) {
    for (const char* ending : {"", "-clip", "-gauss"})
      names.push_back(std::string(format) + ending);
  }
  return names;
}

[[noreturn]] void unknown(const std::string& text) {
  throw Error(unknown_name(
      "weight format", text, usual_names(),
      fmt::format(
          "expected int2 .. int8 or eXmY, followed by -asym (integers), -e8m0 or -e4m3 (the "
          "scales' format) and -clip or -gauss, or one of {}",
          fmt::join(block_format_names(), ", "))));
}

// The endings of a name, each at most once.
void read_endings(const std::string& text, const std::string& endings, WeightScheme& scheme) {
  for (const std::string& ending : split(endings, '-')) {
    if (ending == "asym" && !scheme.asymmetric) {
      scheme.asymmetric = true;
    } else if (ending == "clip" && !scheme.clip) {
      scheme.clip = true;
    } else if (ending == "gauss" && !scheme.gauss) {
      scheme.gauss = true;
    } else if (ending == "e8m0" && scheme.scales == ScaleRule::kFloat32) {
      scheme.scales = ScaleRule::kE8M0;
    } else if (ending == "e4m3" && scheme.scales == ScaleRule::kFloat32) {
      scheme.scales = ScaleRule::kE4M3;
    } else {
      unknown(text);
    }
  }
}

void require_possible(const std::string& text, const WeightScheme& scheme) {
  if (!scheme.format.scaled()) {
    throw Error(
        fmt::format("'{}': {} has no scale; weights are rounded to integers or eXmY, for example "
                    "int4, e2m1 or mxfp4",
                    text, scheme.format.name()));
  }
  if (scheme.clip && scheme.gauss) {
    throw Error(fmt::format(
        "'{}': -clip searches the range and -gauss computes it; use one of the two", text));
  }
  if (!scheme.asymmetric) return;
  if (scheme.gauss) {
    throw Error(fmt::format("'{}': -gauss is for codes without a zero point; leave out one", text));
  }
  if (scheme.format.kind != FormatKind::kInteger || scheme.format.bits > kMostAsymmetricBits) {
    throw Error(fmt::format("'{}': a zero point needs integers of 2 to {} bits", text,
                            kMostAsymmetricBits));
  }
  if (scheme.scales != ScaleRule::kFloat32)
    throw Error(fmt::format("'{}': a zero point needs an FP32 scale", text));
}

}  // namespace

std::string WeightScheme::name() const {
  const BlockFormat* known = published(*this);
  std::string out = known != nullptr ? known->name : format.name();
  if (asymmetric) out += "-asym";
  if (known == nullptr) out += ending_of(scales);
  if (clip) out += "-clip";
  if (gauss) out += "-gauss";
  return out;
}

bool WeightScheme::is_block_format() const {
  return published(*this) != nullptr;
}

float WeightScheme::lowest_code() const {
  return asymmetric ? 0.0f : format.min_code;
}

float WeightScheme::highest_code() const {
  return asymmetric ? format.max_code - format.min_code : format.max_code;
}

bool WeightScheme::codes_fit_bf16() const {
  return format.codes_fit_bf16();  // asymmetric: at most 255 either way, eight significant bits
}

WeightScheme parse_weight_scheme(const std::string& text, int group) {
  if (group < 0)
    throw Error(
        fmt::format("a group cannot have {} weights; use 1 or more, or 0 for "
                    "a whole row",
                    group));
  for (const BlockFormat& known : kBlockFormats) {
    const std::string name = known.name;
    if (text != name && !text.starts_with(name + "-")) continue;
    WeightScheme scheme = *find_block_format(name);
    read_endings(text, text.substr(std::min(text.size(), name.size() + 1)), scheme);
    require_possible(text, scheme);
    if (group != 0 && group != known.group) {
      throw Error(
          fmt::format("'{}': {} is defined with blocks of {}, not {}; omit the group "
                      "or write {}-{} for other blocks",
                      text, name, known.group, group, known.element,
                      known.scales == ScaleRule::kE8M0 ? "e8m0" : "e4m3"));
    }
    return scheme;
  }
  const size_t dash = text.find('-');
  WeightScheme scheme;
  const auto part = find_part_precision(text.substr(0, dash));
  if (!part || !part->format || part->group > 0) unknown(text);
  scheme.format = *part->format;
  scheme.group = group;
  if (dash != std::string::npos) read_endings(text, text.substr(dash + 1), scheme);
  require_possible(text, scheme);
  return scheme;
}

const std::vector<std::string>& block_format_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const BlockFormat& known : kBlockFormats) out.emplace_back(known.name);
    return out;
  }();
  return names;
}

std::optional<WeightScheme> find_block_format(std::string_view name) {
  for (const BlockFormat& known : kBlockFormats) {
    if (name != known.name) continue;
    WeightScheme scheme{.format = *find_format(known.element), .group = known.group};
    scheme.scales = known.scales;
    return scheme;
  }
  return std::nullopt;
}

double storage_bits(const WeightScheme& scheme, int64_t columns) {
  const double scale = scheme.scales == ScaleRule::kFloat32 ? 32 : 8;
  const double zero = scheme.asymmetric ? scheme.format.bits : 0;
  const auto sharing = static_cast<double>(scheme.group == 0 ? columns : scheme.group);
  return scheme.format.bits + (scale + zero) / sharing;
}

float tensor_scale(const WeightScheme& scheme, float matrix_absmax) {
  return tensor_scale(scheme.format, scheme.scales, matrix_absmax);
}

}  // namespace bitlaw
