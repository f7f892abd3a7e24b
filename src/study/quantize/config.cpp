#include "quantize/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/names.h"
#include "base/range.h"
#include "formats/recipe.h"
#include "formats/role_format.h"
#include "formats/role_name.h"
#include "quantize/cell.h"

namespace bitlaw {
namespace {

constexpr int kFewestBits = 2, kMostBits = 8;
constexpr int kMostCellsOfGrid = 10'000;
const std::string kTrained = "trained";  // activations, or keys and values, as in training

void check_lists(const PtqConfig& config) {
  const auto not_empty = [](const char* key, bool empty, const char* advice) {
    if (empty) throw Error(fmt::format("{} is empty; {}", key, advice));
  };
  not_empty("methods", config.methods.empty(), ("known: " + method_names()).c_str());
  not_empty("groups", config.groups.empty(), "0 means one scale per output channel");
  not_empty("activations", config.activations.empty(), "'trained' keeps them as in training");
  not_empty("kv", config.kv.empty(), "'trained' keeps them as in training");
  not_empty("calibration_seeds", config.calibration_seeds.empty(), "give at least one, such as 1");
  double cells = 1;
  for (const size_t choices :
       {config.methods.size(), config.bits.size() + config.formats.size(), config.groups.size(),
        config.activations.size(), config.kv.size(), config.calibration_seeds.size()})
    cells *= static_cast<double>(choices);
  if (cells > kMostCellsOfGrid) {
    throw Error(
        fmt::format("methods, bits, formats, groups, activations, kv and calibration_seeds "
                    "make {:.4g} cells, more than {}; shorten one of these lists",
                    cells, kMostCellsOfGrid));
  }
  for (const int group : config.groups) {
    if (group < 0)
      throw Error(
          fmt::format("groups = {}: expected 0 (per channel) or a number of weights", group));
  }
  for (const int64_t seed : config.calibration_seeds) {
    if (seed < 0)
      throw Error(fmt::format("calibration_seeds = {}: expected 0 or a positive number", seed));
  }
}

void check_numbers(const PtqConfig& config) {
  if (config.calibration_tokens < 1 || config.calibration_tokens > kMostTokens) {
    throw Error(fmt::format("calibration_tokens = {}: expected a positive number, up to 1e15",
                            config.calibration_tokens));
  }
  if (config.evaluation_tokens < 0 || config.evaluation_tokens > kMostTokens) {
    throw Error(
        fmt::format("evaluation_tokens = {}: expected 0 (all) or a positive number, up to 1e15",
                    config.evaluation_tokens));
  }
  if (!(config.damping > 0 && config.damping <= 1)) {
    throw Error(
        fmt::format("damping = {}: expected a share of the mean diagonal, above 0 and at most 1",
                    config.damping));
  }
}

// Every scheme of one method and group; published block formats have a fixed group.
std::vector<WeightScheme> schemes_of(const PtqConfig& config, const MatrixCell& method, int group) {
  std::vector<WeightScheme> out;
  for (const int bits : config.bits) {
    if (bits < kFewestBits || bits > kMostBits) {
      throw Error(fmt::format("bits = {}: weights are quantized to {} to {} bits", bits,
                              kFewestBits, kMostBits));
    }
    out.push_back(parse_weight_scheme(fmt::format("int{}", bits), group));
  }
  for (const std::string& name : config.formats) {
    WeightScheme scheme = parse_weight_scheme(name);
    if (!scheme.is_block_format()) scheme.group = group;
    if (scheme.format.bits > kMostBits) {
      throw Error(fmt::format(
          "formats = {}: weights are quantized to at most {} bits; use int4 or e2m1, for example",
          name, kMostBits));
    }
    out.push_back(scheme);
  }
  if (out.empty())
    throw Error("bits and formats are both empty; give at least one, for example bits = 4");
  for (WeightScheme& scheme : out) {
    if (method.scheme.asymmetric &&
        (scheme.format.kind != FormatKind::kInteger || scheme.scales != ScaleRule::kFloat32)) {
      throw Error(
          fmt::format("methods: '{}' has a zero point, but {} has none; run the two separately",
                      method_name(method), scheme.name()));
    }
    scheme.asymmetric = scheme.asymmetric || method.scheme.asymmetric;
    scheme.clip = scheme.clip || method.scheme.clip;
    scheme.gauss = scheme.gauss || method.scheme.gauss;
    if (scheme.gauss && (scheme.clip || scheme.asymmetric)) {
      throw Error(
          fmt::format("methods: '{}' with {}: gauss computes the range of codes without a zero "
                      "point, so it goes "
                      "neither with clip nor with asymmetric",
                      method_name(method), scheme.name()));
    }
  }
  return out;
}

// The granularity of a Quantizer, with any format.
Quantizer granularity_of(const char* key, const std::string& text) {
  try {
    return parse_quantizer("int8/" + without_old_name(text));
  } catch (const Error&) {
    throw Error(fmt::format(
        "{} = {}: expected sequence, channel, token, batch or groupG such as group32", key, text));
  }
}

std::optional<Quantizer> in_use(const char* key, const std::string& text, const Quantizer& shared) {
  if (text == kTrained) return std::nullopt;
  if (!nearest_name(text, {kTrained}).empty())
    throw Error(
        fmt::format("{} = {}: {}", key, text, unknown_name("number format", text, {kTrained})));
  try {
    const RoleFormat role = role_format(role_name(key, text));
    if (role.options != RoleOptions{}) {
      throw Error(fmt::format("{} belongs to training; rotations stay as trained, so write {}",
                              role.options.name(), text.substr(0, text.find('+'))));
    }
    return in_role(role, shared);
  } catch (const Error& error) {
    throw Error(fmt::format("{} = {}: {}", key, text, error.what()));
  }
}

// The methods in canonical form, each once, and each with the round to nearest it is compared with
// before it.
std::vector<MatrixCell> methods_of(const PtqConfig& config) {
  std::vector<MatrixCell> asked, out;
  for (const std::string& text : config.methods) {
    asked.push_back(parse_method(text));
    asked.back().first_damping = config.damping;
  }
  const auto add = [&](const MatrixCell& method) {
    if (std::find(out.begin(), out.end(), method) == out.end()) out.push_back(method);
  };
  for (const MatrixCell& method : asked) {
    if (round_to_nearest_beside(method) == method) add(method);
  }
  for (const MatrixCell& method : asked) add(round_to_nearest_beside(method));
  for (const MatrixCell& method : asked) add(method);
  return out;
}

}  // namespace

std::vector<std::string> notes_on_old_names(const PtqConfig& config) {
  std::vector<std::string> notes;
  for (const auto& [key, text] :
       {std::pair{"activations_granularity", config.activations_granularity},
        std::pair{"kv_granularity", config.kv_granularity}}) {
    std::string note = note_on_old_name(key, text);
    if (!note.empty()) notes.push_back(std::move(note));
  }
  return notes;
}

std::vector<PtqCell> ptq_cells(const PtqConfig& config) {
  check_lists(config);
  check_numbers(config);
  const Quantizer activations =
      granularity_of("activations_granularity", config.activations_granularity);
  const Quantizer kv_in_use = granularity_of("kv_granularity", config.kv_granularity);
  std::vector<PtqCell> cells;
  const auto add = [&](const PtqCell& cell) {
    if (std::find(cells.begin(), cells.end(), cell) == cells.end()) cells.push_back(cell);
  };
  for (const MatrixCell& method : methods_of(config)) {
    for (const int group : config.groups) {
      for (const WeightScheme& scheme : schemes_of(config, method, group)) {
        for (const std::string& a : config.activations) {
          for (const std::string& kv : config.kv) {
            PtqCell cell{method, in_use("activations", a, activations),
                         in_use("kv", kv, kv_in_use)};
            if (cell.rounds_weights()) cell.weights.scheme = scheme;
            for (const int64_t seed : config.calibration_seeds) {
              cell.calibration_seed = cell.calibrated() ? seed : 0;
              add(cell);
            }
          }
        }
      }
    }
  }
  return cells;
}

}  // namespace bitlaw
