#include "formats/quantizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/number.h"
#include "formats/e8m0.h"
#include "formats/role_format.h"
#include "formats/weight_scheme.h"

namespace bitlaw {
namespace {

constexpr std::string_view kPer = "per-";
constexpr std::pair<const char*, Granularity> kGranularities[] = {
    {"tensor", Granularity::kTensor}, {"channel", Granularity::kChannel},
    {"token", Granularity::kToken},   {"sequence", Granularity::kSequence},
    {"batch", Granularity::kBatch},
};

// The name of a role's format is that of a scheme for weights, formats/weight_scheme.h.
WeightScheme codes_and_scales(const Quantizer& quantizer) {
  WeightScheme scheme{.format = quantizer.format, .group = quantizer.group};
  scheme.scales = quantizer.scales;
  return scheme;
}

// With any format.
std::optional<Quantizer> find_granularity(std::string_view text) {
  const Format any = integer_format(8);
  if (text.starts_with(kPer)) text.remove_prefix(kPer.size());
  for (const auto& [name, value] : kGranularities) {
    if (text == name) return make_quantizer(any, value);
  }
  if (!text.starts_with("group")) return std::nullopt;
  const int group = parse_whole(text.substr(5)).value_or(0);
  if (group < 1) return std::nullopt;
  return make_quantizer(any, Granularity::kGroup, group);
}

}  // namespace

std::string Quantizer::name() const {
  if (!format.scaled() || is_block_format()) return format_name();
  return format_name() + "/" + granularity_name();
}

std::string Quantizer::format_name() const {
  return (format.scaled() ? codes_and_scales(*this).name() : format.name()) + options.name();
}

std::string Quantizer::granularity_name() const {
  if (!format.scaled()) return "";
  if (granularity == Granularity::kGroup) return fmt::format("group{}", group);
  for (const auto& [name, value] : kGranularities) {
    if (granularity == value) return name;
  }
  return "";
}

bool Quantizer::is_block_format() const {
  return format.scaled() && codes_and_scales(*this).is_block_format();
}

Quantizer make_quantizer(const Format& format, Granularity granularity, int group,
                         ScaleRule scales) {
  if (!format.scaled()) return {format, Granularity::kTensor, 0};
  if (granularity != Granularity::kGroup) return {format, granularity, 0, scales};
  if (group < 1) throw Error(fmt::format("a group cannot have {} entries; use 1 or more", group));
  return {format, granularity, group, scales};
}

Quantizer parse_quantizer(const std::string& text) {
  const size_t slash = text.find('/');
  const RoleFormat role = role_format(text.substr(0, slash));
  if (slash == std::string::npos) return in_role(role, {});
  if (!role.format.scaled()) {
    throw Error(fmt::format("'{}': {} has no scale, so nothing can share one; write '{}'", text,
                            role.format.name(), role.format.name()));
  }
  const auto shared = find_granularity(text.substr(slash + 1));
  if (!shared) {
    throw Error(fmt::format(
        "'{}': '{}' is not a granularity; expected tensor, channel, token, sequence, batch or "
        "groupG such as group32",
        text, text.substr(slash + 1)));
  }
  require_own_block(role, *shared);
  return in_role(role, *shared);
}

BlockScale block_scale(const Format& format, float absmax) {
  return block_scale(format, ScaleRule::kFloat32, 1, absmax);
}

BlockScale block_scale(const Format& format, ScaleRule scales, float tensor, float absmax) {
  BITLAW_CHECK(format.scaled());
  float scale = absmax / format.max_code, block = 1;
  switch (scales) {
    case ScaleRule::kFloat32:
      break;
    case ScaleRule::kE8M0:
      scale = e8m0_scale(format, shared_exponent(format, absmax));
      break;
    case ScaleRule::kE4M3:
      if (scale < kSmallestNormal) return {};
      block = e4m3_number(scale, tensor);
      scale = block * tensor;
      break;
  }
  if (scale < kSmallestNormal) return {};
  return {scale, 1.0f / scale, scales == ScaleRule::kE4M3 ? block : scale};
}

float tensor_scale(const Format& format, ScaleRule scales, float absmax) {
  if (scales != ScaleRule::kE4M3) return 1;
  const float largest_scale = float_format(4, 3).max_code;
  return std::max(absmax / (largest_scale * format.max_code), kSmallestNormal);
}

float without_tensor(ScaleRule scales, float tensor, float scale) {
  // scale is fl(number * tensor), so that the quotient is within 2^-23 of the number.
  return scales == ScaleRule::kE4M3 ? e4m3_number(scale, tensor) : scale;
}

bool folds_into_bf16(const Format& format, ScaleRule scales) {
  if (!format.scaled()) return false;
  switch (scales) {
    case ScaleRule::kFloat32:
      return false;
    case ScaleRule::kE8M0:
      return format.codes_fit_bf16();
    case ScaleRule::kE4M3:  // whose numbers have 4 of BF16's 8 significant bits
      return format.kind == FormatKind::kInteger ? format.bits <= 5 : format.mantissa_bits <= 3;
  }
  return false;
}

QuantizedReference quantize_reference(const Format& format, ScaleAxis axis, int group,
                                      const float* x, int64_t rows, int64_t columns,
                                      float absmax_elsewhere, ScaleRule scales) {
  BITLAW_CHECK(absmax_elsewhere == 0 || axis == ScaleAxis::kTensor || scales == ScaleRule::kE4M3);
  if (axis == ScaleAxis::kGroup && group < 1) {
    throw Error(fmt::format("a group cannot have {} entries; use 1 or more", group));
  }
  const auto size = static_cast<size_t>(rows * columns);
  QuantizedReference out{std::vector<float>(size), std::vector<float>(size, 1.0f),
                         std::vector<float>(size), std::vector<float>(size, 1.0f)};
  if (!format.scaled()) {
    for (size_t i = 0; i < size; ++i) out.codes[i] = out.values[i] = round_to_code(format, x[i]);
    return out;
  }

  const int64_t groups_per_row = axis == ScaleAxis::kGroup ? (columns + group - 1) / group : 1;
  const auto block_of = [&](int64_t r, int64_t c) -> int64_t {
    switch (axis) {
      case ScaleAxis::kTensor:
        return 0;
      case ScaleAxis::kRow:
        return r;
      case ScaleAxis::kColumn:
        return c;
      case ScaleAxis::kGroup:
        return r * groups_per_row + c / group;
    }
    return 0;
  };
  std::vector<float> absmax(
      static_cast<size_t>(std::max({rows * groups_per_row, columns, int64_t{1}})),
      axis == ScaleAxis::kTensor ? absmax_elsewhere : 0);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      float& largest = absmax[static_cast<size_t>(block_of(r, c))];
      largest = std::max(largest, std::fabs(x[r * columns + c]));
    }
  }
  out.tensor_scale = tensor_scale(
      format, scales, std::max(absmax_elsewhere, *std::max_element(absmax.begin(), absmax.end())));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      const auto i = static_cast<size_t>(r * columns + c);
      const BlockScale block = block_scale(format, scales, out.tensor_scale,
                                           absmax[static_cast<size_t>(block_of(r, c))]);
      out.codes[i] = round_to_code(format, x[i] * block.inverse);
      out.scales[i] = block.scale;
      out.blocks[i] = block.block;
      out.values[i] = out.codes[i] * block.scale;
    }
  }
  return out;
}

}  // namespace bitlaw
