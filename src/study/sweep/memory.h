// The memory of a study's runs: predicted once for all that need the same (train/memory.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sweep/plan.h"

namespace bitlaw {

// Bytes at the peak of a run on one thread. Each kind takes a moment: a model of that shape is built
// and measured.
class MemoryPredictions {
 public:
  double bytes(const PlannedRun& run, const DatasetInfo& data);

 private:
  std::map<std::string, double> known_;
};

struct LargestRun {
  const PlannedRun* run = nullptr;
  double bytes = 0;
};

// The one that needs most. Only those that come first in a rough count are measured.
LargestRun largest_run(const SweepPlan& plan, const std::vector<const PlannedRun*>& runs);

}  // namespace bitlaw
