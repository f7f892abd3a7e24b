// A study file: one base configuration, and the grids of values that vary around it.
//
//   name = "demo"
//   checkpoints = 3               # optional: models kept along every run, at D/2, D/4, D/8
//   [base]                        # any key of `bitlaw train`
//   data.path = "data"
//   [variants.size]               # named bundles of keys
//   small = { "model.width" = 32 }
//   [[grid]]                      # cells = the product of the lists; several grids add up
//   size = ["small"]
//   "train.tokens" = [1e6, 2e6]
//   "recipe.weights" = ["3", "4"]
//   [[grid]]                      # ranges: so many points of each combination (sweep/ranges.h)
//   points = 64
//   "train.lr" = { from = 1e-3, to = 0.1, scale = "log" }
//   [ptq]                         # optional: quantize the finished runs of these cells afterwards
//   where = { "recipe.weights" = "16" }    # only cells with these values
//   methods = ["rtn", "gptq"]
//   bits = [3, 4, 5]
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace bitlaw {

struct Cell {
  Json config;        // the keys that differ from the program's defaults, nested
  std::string label;  // what varies, for people: "size=small train.tokens=1e+06"
  bool quantize = false;
};

struct Study {
  std::string name;
  int64_t checkpoints = 0;  // kept along each run, besides the final one
  std::vector<Cell> cells;  // equal configurations once, in the order of the file
  Json ptq;  // keys of `bitlaw quantize`, without `where`; null without a [ptq] section
};

// Expands a study document; an Error names `where` (the file) and what is wrong with it. `defaults`
// has every key of a run with its default: what `ptq.where` is held to where a cell sets nothing.
Study expand_study(const Json& document, const std::string& where, const Json& defaults);

}  // namespace bitlaw
