// The best size of a budget, by any law.
#pragma once

#include "laws/observation.h"
#include "laws/registry.h"

namespace bitlaw {

// log N of the least loss along ratio N D = compute; NaN if it is at no N and D of at least e^2. like:
// other inputs of the law.
double log_best_params(const Law& law, const double* p, double compute, double ratio,
                       const Observation& like);

}  // namespace bitlaw
