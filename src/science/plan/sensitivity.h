// How an answer moves with each constant of its law: central differences of half a per cent to
// either side, the answer found anew each time, so that they say what "1 % more of alpha" does.
#pragma once

#include <functional>
#include <vector>

#include "plan/constants.h"
#include "plan/result.h"

namespace bitlaw {

// `solve` gives the answer for other constants.
PlanSensitivities sensitivity(
    const Constants& constants,
    const std::function<PlanOptimum(const std::vector<double>& values)>& solve);

}  // namespace bitlaw
