#include "ptq/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"

namespace bitlaw {
namespace {

constexpr int kFewestBits = 2, kMostBits = 8;

PtqMethod parse_method(const std::string& name) {
  const std::vector<std::string> known{"rtn", "gptq"};
  for (size_t i = 0; i < known.size(); ++i) {
    if (name == known[i]) return i == 0 ? PtqMethod::kRtn : PtqMethod::kGptq;
  }
  const std::string near = nearest_name(name, known);
  throw Error(fmt::format("methods: '{}' is not known{}; known are rtn and gptq", name,
                          near.empty() ? "" : fmt::format(" (is it '{}'?)", near)));
}

std::vector<Format> formats_of(const PtqConfig& config) {
  std::vector<Format> out;
  for (const int bits : config.bits) {
    if (bits < kFewestBits || bits > kMostBits) {
      throw Error(fmt::format("bits = {}: weights are quantized to {} to {} bits", bits,
                              kFewestBits, kMostBits));
    }
    out.push_back(integer_format(bits));
  }
  for (const std::string& name : config.formats) {
    const Format format = parse_format(name);
    if (!format.scaled() || format.bits > kMostBits) {
      throw Error(fmt::format(
          "formats = {}: weights are quantized to at most {} bits; int4 or e2m1, for example", name,
          kMostBits));
    }
    out.push_back(format);
  }
  if (out.empty())
    throw Error("bits and formats are both empty; name at least one, for example bits = 4");
  return out;
}

}  // namespace

std::vector<PtqCell> ptq_cells(const PtqConfig& config) {
  if (config.methods.empty()) throw Error("methods is empty; known are rtn and gptq");
  if (config.groups.empty())
    throw Error("groups is empty; 0 stands for one scale per output channel");
  for (const int group : config.groups) {
    if (group < 0)
      throw Error(
          fmt::format("groups = {}: expected 0 (per channel) or a number of weights", group));
  }
  if (config.calibration_tokens < 1) {
    throw Error(fmt::format("calibration_tokens = {}: expected a positive number",
                            config.calibration_tokens));
  }
  if (config.calibration_seed < 0) {
    throw Error(fmt::format("calibration_seed = {}: expected 0 or a positive number",
                            config.calibration_seed));
  }
  if (config.evaluation_tokens < 0) {
    throw Error(fmt::format("evaluation_tokens = {}: expected 0 (all) or a positive number",
                            config.evaluation_tokens));
  }
  if (!(config.damping > 0 && config.damping <= 1)) {
    throw Error(
        fmt::format("damping = {}: expected a share of the mean diagonal, above 0 and at most 1",
                    config.damping));
  }
  const std::vector<Format> formats = formats_of(config);
  std::vector<PtqCell> cells;
  for (const std::string& method : config.methods) {
    for (const int group : config.groups) {
      for (const Format& format : formats) {
        const PtqCell cell{parse_method(method), format, group};
        const bool there = std::any_of(cells.begin(), cells.end(), [&](const PtqCell& other) {
          return other.method == cell.method && other.format == cell.format &&
                 other.group == cell.group;
        });
        if (!there) cells.push_back(cell);
      }
    }
  }
  return cells;
}

}  // namespace bitlaw
