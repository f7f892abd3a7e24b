// The optimum of a problem: over precisions, with the best N and D at each (plan/split.h). A list
// of precisions is enumerated; a continuum is scanned coarsely, followed by descent in all free
// coordinates at once (plan/descent.h).
#pragma once

#include <vector>

#include "plan/split.h"

namespace bitlaw {

struct Optimum {
  PlanPoint point;
  std::vector<PlanPoint> runners_up;  // best first, `point` included: starts of nearby searches
};

Optimum best_plan(const PlanTask& task);

// The same for constants near those of `main`, starting from its result.
PlanPoint best_plan_near(const PlanTask& task, const Optimum& main);

// Minimises the loss of a BF16 model quantized to P_post, with N P_post = budget; at fixed N and
// P_post the best D is the critical one.
PlanPoint best_served(const PlanTask& task, double budget);

}  // namespace bitlaw
