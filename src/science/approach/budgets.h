// Training budgets of a table: runs that spent about the same compute C, whose losses against size are
// an isoFLOP curve.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

// A run as the approaches see it.
struct SizedRun {
  double params = kUnknown;   // N, counted as the options say
  double tokens = kUnknown;   // D
  double compute = kUnknown;  // C of the table, or 6 N D
  double loss_nats = kUnknown;
  int cluster = 0;
};

// Indices into the runs, by ascending C within a budget and over the budgets. Neighbours are joined,
// those that give the narrowest budget first, as long as its largest C is at most 1 + tolerance times its
// least.
std::vector<std::vector<int>> group_budgets(std::span<const SizedRun> runs, double tolerance);

}  // namespace bitlaw
