// What a study may cost: "1e16 FLOP" of training, "20 core-hours", or "2 h" of time with --jobs
// processes. The cells are taken in the order of the study, up to the first that no longer fits. So a
// larger budget adds cells and keeps those that were there.
//
// What is done counts as if it were not, so that a study that goes on has the same cells. FLOP are
// those of training, with what trunks save; times include validation and quantization
// (sweep/timing.h). Cells that stand in a table (sweep/have.h) cost nothing.
#pragma once

#include <string>

#include "sweep/timing.h"

namespace bitlaw {

struct Budget {
  enum class Unit { kFlop, kCoreHours, kHours };
  Unit unit = Unit::kFlop;
  double amount = 0;  // FLOP or hours
  std::string text;

  bool needs_speeds() const { return unit != Unit::kFlop; }
};

// Error, beginning with `option`, if it is no budget.
Budget parse_budget(const std::string& text, const std::string& option);

// Of the first cells of a plan, in the unit of the budget. `rates` are needed for times only.
double cost_of_first(const SweepPlan& plan, size_t cells, const Budget& budget, const Rates& rates,
                     int parallel);

// Leaves out the cells past the budget, and says how many in the notes. Error if it pays for none.
void apply_budget(SweepPlan& plan, const Budget& budget, const Rates& rates, int parallel);

}  // namespace bitlaw
