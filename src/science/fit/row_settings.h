// The different settings among many rows: a formula is evaluated once for each, not for each row.
// Replicates, and the rows of a grid, often share one. Results have the same bits either way.
#pragma once

#include <vector>

#include "laws/inputs.h"
#include "laws/observation.h"
#include "laws/registry.h"

namespace bitlaw {

class RowSettings {
 public:
  RowSettings(const Law& law, const std::vector<Observation>& runs);

  // The rows to evaluate: all of them if most differ, else one of each setting.
  const Rows& rows() const { return rows_; }
  long stride() const { return static_cast<long>(rows_.stride()); }
  bool all_differ() const { return setting_.empty(); }
  // Unless all differ: the place in rows() of each row, padded like Rows.
  const std::vector<int>& setting() const { return setting_; }

 private:
  Rows rows_;
  std::vector<int> setting_;
};

}  // namespace bitlaw
