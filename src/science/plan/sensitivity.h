// The sensitivity of an answer to each constant of its law: central differences of half a per cent
// to either side, with the optimum recomputed each time. They give the effect of "1 % more of
// alpha".
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
