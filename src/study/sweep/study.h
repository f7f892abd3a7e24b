// A study file: one base configuration, and the grids of values that vary around it.
//
//   name = "demo"
//   checkpoints = 3               # optional: models kept along every run, at D/2, D/4, D/8
//   require = ["D/N>=20"]         # optional: only cells that fulfil these conditions; in grids, too
//   budget = "1e16 FLOP"          # optional: as many cells as it pays for (sweep/budget.h)
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
//   where = { "recipe.weights" = "16" }    # only cells with these values, or with "P_w=16"
//   methods = ["rtn", "gptq"]
//   bits = [3, 4, 5]
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "sweep/ranges.h"

namespace bitlaw {

// What a grid varies, and its value in a cell: {"size", "small"}.
using Choice = std::pair<std::string, std::string>;

struct Cell {
  Json config;        // the keys that differ from the program's defaults, nested
  std::string label;  // the choices, for people: "size=small train.tokens=1e+06"
  bool quantize = false;
  std::vector<Choice> choices = {};
  size_t grid = 0;  // its place in the file
};

struct Study {
  std::string name;
  int64_t checkpoints = 0;  // kept along each run, besides the final one
  std::vector<Cell> cells;  // equal configurations once, in the order of the file
  Json ptq;  // keys of `bitlaw quantize`, without `where`; null without a [ptq] section
  // Conditions (sweep/conditions.h), which are about runs and so not yet applied: what the cells of
  // each grid must fulfil, and which are quantized besides having Cell::quantize.
  std::vector<std::vector<std::string>> require;
  std::vector<std::string> quantize_where;
  std::vector<std::vector<GridRange>> ranges;  // of each grid
  std::string budget;                          // sweep/budget.h; "": none
  std::vector<std::string> variants;           // names of the lists of bundles
};

// Expands a study document; an Error names `where` (the file) and what is wrong with it. `defaults`
// has every key of a run with its default: what `ptq.where` is held to where a cell sets nothing.
// Error for more than `most_cells`, before any is made.
inline constexpr size_t kMostCells = 100'000;
Study expand_study(const Json& document, const std::string& where, const Json& defaults,
                   size_t most_cells = kMostCells);

}  // namespace bitlaw
