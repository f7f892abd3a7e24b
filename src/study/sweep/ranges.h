// Ranges of a grid: a number of points in as many dimensions as the grid has ranges.
//
//   [[grid]]
//   points = 64                # of each combination of the lists
//   sampling = "even"          # the default, or "random"
//   sampling_seed = 1
//   "train.lr" = { from = 1e-3, to = 0.1, scale = "log" }
//   "train.batch_tokens" = { from = 512, to = 8192, scale = "log", multiple = 128 }
//   "model.width" = [32, 64]
//
// "even" is the additive recurrence on the generalized golden ratio (M. Roberts, 2018): point n is
// the fractional part of s + n (1/g, 1/g^2, ...), where g is the root of g^(d+1) = g + 1. Any first
// part of the points is spread evenly, so more of them leave the ones there are in place; so do
// random ones.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace bitlaw {

struct GridRange {
  std::string key;
  double from = 0, to = 1;
  bool log = false;
  double multiple = 0;  // values are whole multiples of it; 0: any, to four digits

  Json at(double share) const;  // 0 <= share < 1: from `from` to `to`
};

struct Sampling {
  int64_t points = 0;  // 0: not given
  bool random = false;
  uint64_t seed = 1;

  // In [0, 1): of dimension `d` of `dimensions`.
  double share(int64_t point, size_t d, size_t dimensions) const;
};

// Whether the value of a grid's key is a range: a section with `from` and `to`.
bool is_range(const Json& value);

// Error, naming `where` and the key, if it is not a range that can be sampled.
GridRange parse_range(const std::string& key, const Json& value, const std::string& where);

// Takes points, sampling and sampling_seed out of a grid. Error, naming `where`, if they are wrong.
Sampling take_sampling(Json& grid, const std::string& where);

// Error, naming `where`, for ranges without points or points without ranges.
void check_sampling(const Sampling& sampling, size_t ranges, const std::string& where);

}  // namespace bitlaw
