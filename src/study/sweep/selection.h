// Which cells of a study are made, and the speeds that a budget in time and a forecast need.
//
// In this order: cells that stand in a table are not made, the budget of the study file leaves out
// those that it does not pay for, --only selects, and --budget, which replaces the file's, leaves out
// what it does not pay for of those.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sweep/speeds.h"

namespace bitlaw {

struct SelectionOptions {
  std::vector<std::string> have;  // tables (sweep/have.h)
  std::vector<std::string> only;  // conditions (sweep/conditions.h)
  std::string budget;             // sweep/budget.h; empty: that of the study file
  double rate = 0;                // sweep/speeds.h, tokens per second; 0: not given
  bool calibrate = false;         // measure the speed of this machine now
  bool may_measure = false;       // and if a budget in time needs it
};

struct KnownSpeeds {
  Rates rates;
  std::string from;  // "measured on AMD EPYC 9B45, 2 cores", "at 20000 tokens/s of ..."
};

// Leaves out the other cells, with notes in the plan. Returns the speeds if they are given, kept, or
// measured here. Error for what cannot be read or selects nothing.
std::optional<KnownSpeeds> select_cells(SweepPlan& plan, const SelectionOptions& options,
                                        const LaunchOptions& launch, const SweepNote& note);

}  // namespace bitlaw
