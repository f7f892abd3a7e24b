// The sensitivity of an answer to each constant of its law, in two ways:
//
//   1 % more of it       central differences of half a per cent to either side, the others unchanged
//   a standard error     over a fit's draws: by how much the answer is higher, on average, where the
//                        constant is. The others move along as the data have it, so the sum stays
//                        within what the draws answer, however uncertain a constant is.
//
// The optimum is recomputed each time.
#pragma once

#include <functional>
#include <vector>

#include "plan/result.h"
#include "predict/constants.h"

namespace bitlaw {

// `solve` gives the answer for other constants; `drawn` are those for the constants' draws.
PlanSensitivities sensitivity(
    const Constants& constants,
    const std::function<PlanOptimum(const std::vector<double>& values)>& solve,
    const std::vector<PlanOptimum>& drawn);

}  // namespace bitlaw
