#include "formats/weight_scheme.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "formats/block_error.h"
#include "formats/e8m0.h"
#include "formats/gaussian_scale.h"
#include "formats/precision.h"
#include "formats/quantizer.h"

namespace bitlaw {
namespace {

constexpr int kMostAsymmetricBits = 8;
constexpr int kShrinkSteps = 100, kLeastShrink = 20;  // factors 100/100, 99/100 .. 20/100

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
  for (const char* format : {"e2m0", "e2m1", "e2m3", "e3m0", "e3m1", "e3m2", "e4m3", "e5m2"}) {
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

// Grids of one block. `lo` and `hi` are its range, of which the asymmetric grid takes both ends and
// the others the larger magnitude.
class BlockSearch {
 public:
  BlockSearch(const WeightScheme& scheme, float tensor_scale, const float* w, int64_t count)
      : scheme_(scheme), tensor_scale_(tensor_scale), w_(w), count_(count) {}

  BlockGrid find() {
    if (scheme_.asymmetric) {
      float lo = 0, hi = 0;
      for (int64_t i = 0; i < count_; ++i) {
        lo = std::min(lo, w_[i]);
        hi = std::max(hi, w_[i]);
      }
      return shrink([&](float factor) { return between(lo * factor, hi * factor); });
    }
    if (scheme_.gauss) return gaussian();
    const float absmax = largest_magnitude(w_, count_);
    if (absmax == 0) return {};
    switch (scheme_.scales) {
      case ScaleRule::kFloat32:
        return shrink([&](float factor) { return within(absmax * factor); });
      case ScaleRule::kE8M0:
        return power_of_two(absmax);
      case ScaleRule::kE4M3:
        return e4m3(absmax);
    }
    return {};
  }

 private:
  BlockGrid between(float lo, float hi) const {
    const float codes = scheme_.highest_code();
    const auto scale = static_cast<float>((static_cast<double>(hi) - lo) / codes);
    if (scale < kSmallestNormal) return {};
    const float inverse = 1.0f / scale;
    return {scale, inverse, std::clamp(std::nearbyint((0.0f - lo) * inverse), 0.0f, codes)};
  }

  BlockGrid within(float absmax) const {
    const BlockScale block = block_scale(scheme_.format, absmax);
    return {block.scale, block.inverse, 0};
  }

  static BlockGrid of_scale(float scale, float smallest) {
    if (scale < smallest) return {};
    return {scale, 1.0f / scale, 0};
  }

  BlockGrid gaussian() const {
    const double squares = sum_of_squares(w_, count_);
    if (squares == 0) return {};
    const float scale = gaussian_scale(scheme_.format, squares, count_);
    switch (scheme_.scales) {
      case ScaleRule::kFloat32:
        return of_scale(scale, kSmallestNormal);
      case ScaleRule::kE8M0: {
        if (scale < kSmallestNormal / 2) return {};
        const int exponent = std::min(std::ilogb(scale), kE8M0Bias - e8m0_unit());
        return of_scale(std::ldexp(1.0f, exponent), kSmallestNormal / 2);
      }
      case ScaleRule::kE4M3:
        return of_scale(round_to_code(float_format(4, 3), scale / tensor_scale_) * tensor_scale_,
                        kSmallestNormal);
    }
    return {};
  }

  // The grid of factor 1, or the best of all.
  template <class Grid>
  BlockGrid shrink(Grid grid) {
    if (!scheme_.clip) return grid(1.0f);
    for (int step = kShrinkSteps; step >= kLeastShrink; --step)
      consider(grid(static_cast<float>(step) / kShrinkSteps));
    return best_;
  }

  // One code of an integer is worth 2^(X - unit).
  int e8m0_unit() const {
    return scheme_.format.kind == FormatKind::kInteger ? largest_exponent(scheme_.format) : 0;
  }

  BlockGrid power_of_two(float absmax) {
    const Format& element = scheme_.format;
    const int unit = e8m0_unit();
    const auto grid = [&](int exponent) {
      return of_scale(std::ldexp(1.0f, exponent - unit), kSmallestNormal / 2);
    };
    const int rule = shared_exponent(element, absmax);
    if (!scheme_.clip) return grid(rule);
    for (int exponent = std::min(rule + 1, kE8M0Bias); exponent >= std::max(rule - 2, -kE8M0Bias);
         --exponent)
      consider(grid(exponent));
    return best_;
  }

  BlockGrid e4m3(float absmax) {
    static const Format scale_format = float_format(4, 3);
    static const std::vector<float> codes = all_codes(scale_format);
    const auto grid = [&](float code) { return of_scale(code * tensor_scale_, kSmallestNormal); };
    const float rule =
        round_to_code(scale_format, absmax / scheme_.format.max_code / tensor_scale_);
    if (!scheme_.clip) return grid(rule);
    auto at = std::lower_bound(codes.begin(), codes.end(), rule);
    if (at + 1 != codes.end()) ++at;
    const float least = rule * kLeastShrink / kShrinkSteps;
    for (; *at >= least; --at) {
      consider(grid(*at));
      if (*at == 0) break;
    }
    return best_;
  }

  // Of equal errors the first stays, which has the larger scale.
  void consider(const BlockGrid& grid) {
    const double error = squared_error(rounding_of(grid), w_, count_);
    if (error < error_) {
      error_ = error;
      best_ = grid;
    }
  }

  BlockRounding rounding_of(const BlockGrid& grid) const {
    const Format& format = scheme_.format;
    return {.scale = grid.scale,
            .inverse = grid.inverse,
            .lowest = scheme_.lowest_code() - grid.zero,
            .highest = scheme_.highest_code() - grid.zero,
            .integer = format.kind == FormatKind::kInteger,
            .dropped_bits = 23 - format.mantissa_bits,
            .smallest_normal = format.smallest_normal(),
            .magic = 12582912.0f * format.smallest_positive()};
  }

  const WeightScheme& scheme_;
  float tensor_scale_;
  const float* w_;
  int64_t count_;
  BlockGrid best_;
  double error_ = std::numeric_limits<double>::infinity();
};

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

float largest_magnitude(const float* w, int64_t count) {
  uint32_t largest = 0;  // magnitudes are ordered as their bits are
  for (int64_t i = 0; i < count; ++i)
    largest = std::max(largest, std::bit_cast<uint32_t>(w[i]) & 0x7fffffffu);
  return std::bit_cast<float>(largest);
}

float tensor_scale(const WeightScheme& scheme, float matrix_absmax) {
  return tensor_scale(scheme.format, scheme.scales, matrix_absmax);
}

BlockGrid block_grid(const WeightScheme& scheme, float tensor_scale, const float* w,
                     int64_t count) {
  return BlockSearch(scheme, tensor_scale, w, count).find();
}

BlockGrid training_grid(const WeightScheme& scheme, float tensor_scale, const float* w,
                        int64_t count) {
  const BlockGrid grid = block_grid(scheme, tensor_scale, w, count);
  return grid.scale < kSmallestNormal ? BlockGrid{} : grid;
}

float code_of(const WeightScheme& scheme, const BlockGrid& grid, float w) {
  if (!scheme.asymmetric) return round_to_code(scheme.format, w * grid.inverse);
  const float code = std::nearbyint(w * grid.inverse) + grid.zero;
  return std::clamp(code, 0.0f, scheme.highest_code());
}

WeightReference quantize_reference(const WeightScheme& scheme, const float* w, int64_t rows,
                                   int64_t columns) {
  const auto size = static_cast<size_t>(rows * columns);
  WeightReference out{.tensor_scale = tensor_scale(scheme, largest_magnitude(w, rows * columns)),
                      .codes = std::vector<float>(size),
                      .scales = std::vector<float>(size),
                      .zeros = std::vector<float>(size),
                      .values = std::vector<float>(size)};
  const int64_t group = scheme.group == 0 ? std::max<int64_t>(columns, 1) : scheme.group;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t begin = 0; begin < columns; begin += group) {
      const int64_t count = std::min(group, columns - begin);
      const float* block = w + r * columns + begin;
      const BlockGrid grid = block_grid(scheme, out.tensor_scale, block, count);
      for (int64_t i = 0; i < count; ++i) {
        const auto at = static_cast<size_t>(r * columns + begin + i);
        out.codes[at] = code_of(scheme, grid, block[i]);
        out.scales[at] = grid.scale;
        out.zeros[at] = grid.zero;
        out.values[at] = value_of(grid, out.codes[at]);
      }
    }
  }
  return out;
}

}  // namespace bitlaw
