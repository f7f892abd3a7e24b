#include "formats/recipe.h"

#include <fmt/format.h>

#include "base/error.h"
#include "formats/precision.h"

namespace bitlaw {
namespace {

// "4" for int4 shared as usual, "16" for bf16, "32" for fp32; "" if there is no such short form.
std::string short_bits(const Quantizer& quantizer, Granularity usual) {
  switch (quantizer.format.kind) {
    case FormatKind::kBf16:
      return "16";
    case FormatKind::kFp32:
      return "32";
    case FormatKind::kInteger:
      if (quantizer.granularity != usual || quantizer.format.bits == 16) return "";
      return std::to_string(quantizer.format.bits);
    case FormatKind::kFloat:
      return "";
  }
  return "";
}

// One role of a RecipeConfig; errors name the key that is wrong and what it takes.
Quantizer quantizer_from(const std::string& key, const std::string& format_text,
                         const std::string& granularity_key, const std::string& granularity_text,
                         bool with_tokens) {
  Format format;
  try {
    format = role_format(format_text);
  } catch (const Error& error) {
    throw Error(fmt::format("recipe.{}: {}", key, error.what()));
  }
  // The granularity is checked even if it is not used, so that a mistake does not stay hidden until
  // a scaled format is chosen.
  const std::string takes = with_tokens ? "tensor, channel, token or groupG such as group32"
                                        : "tensor, channel or groupG such as group32";
  Quantizer parsed;
  try {
    parsed = parse_quantizer("int8/" + granularity_text);
  } catch (const Error&) {
    throw Error(fmt::format("recipe.{}: '{}' is not a granularity; expected {}", granularity_key,
                            granularity_text, takes));
  }
  if (parsed.granularity == Granularity::kToken && !with_tokens) {
    throw Error(
        fmt::format("recipe.{}: {} have no tokens; expected {}", granularity_key, key, takes));
  }
  return make_quantizer(format, parsed.granularity, parsed.group);
}

}  // namespace

std::string Recipe::name() const {
  if (*this == Recipe{}) return "bf16";
  const std::string w = short_bits(weights, Granularity::kChannel);
  const std::string a = short_bits(activations, Granularity::kTensor);
  const std::string kv = short_bits(keys, Granularity::kTensor);
  const std::string q = short_bits(queries, Granularity::kTensor);
  if (keys == values && !w.empty() && !a.empty() && !kv.empty() && !q.empty()) {
    if (w == "32" && a == "32" && kv == "32" && q == "32") return "fp32";
    return fmt::format("w{}a{}kv{}{}", w, a, kv, q == "16" ? "" : "q" + q);
  }
  return fmt::format("weights={} activations={} keys={} values={} queries={}", weights.name(),
                     activations.name(), keys.name(), values.name(), queries.name());
}

ScaleAxis scale_axis(Role role, Granularity granularity) {
  switch (granularity) {
    case Granularity::kTensor:
      return ScaleAxis::kTensor;
    case Granularity::kGroup:
      return ScaleAxis::kGroup;
    case Granularity::kChannel:
      return role == Role::kWeights ? ScaleAxis::kRow : ScaleAxis::kColumn;
    case Granularity::kToken:
      if (role == Role::kWeights) {
        throw Error("weights have no tokens to share a scale; use tensor, channel or a group");
      }
      return ScaleAxis::kRow;
  }
  return ScaleAxis::kTensor;
}

Format role_format(const std::string& text) {
  const PartPrecision part = part_precision(text);
  if (!part.format) {
    throw Error(
        fmt::format("'{}' gives bits but not the codes; write int4 or e2m1, for example", text));
  }
  if (part.group > 0) {
    throw Error(
        fmt::format("'{}' has rounded scales, but scales in training are FP32; write {}, in groups "
                    "of {}",
                    text, part.format->name(), part.group));
  }
  return *part.format;
}

Recipe make_recipe(const RecipeConfig& config) {
  const Quantizer weights = quantizer_from("weights", config.weights, "weights_granularity",
                                           config.weights_granularity, false);
  const Quantizer activations =
      quantizer_from("activations", config.activations, "activations_granularity",
                     config.activations_granularity, true);
  const Quantizer kv =
      quantizer_from("kv", config.kv, "kv_granularity", config.kv_granularity, true);
  const Quantizer queries =
      quantizer_from("queries", config.queries, "kv_granularity", config.kv_granularity, true);
  return {
      .weights = weights, .activations = activations, .keys = kv, .values = kv, .queries = queries};
}

}  // namespace bitlaw
