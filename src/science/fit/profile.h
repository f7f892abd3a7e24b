// Profile likelihood: along a quantity q, the minimum of the objective over everything else,
//
//   F(v) = min over the constants with q = v of the objective,
//
// and the interval where 2 (F(v) - F_min) <= lambda t^2. t is Student's quantile. lambda is what
// converts the rise of the objective to squared standard errors: the sandwich variance of q
// (fit/sandwich.h) over the variance from the curvature alone (Chandler and Bate 2007). For least
// squares of independent rows lambda is the estimated sigma^2, and for a law that is linear in its
// constants the interval is that of linear regression. Unlike a standard error it follows curved
// valleys, can be asymmetric, and can be unbounded.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fit/profile_path.h"
#include "fit/stage.h"
#include "fit/uncertainty.h"

namespace bitlaw {

struct ProfileResult {
  ProfileInterval profile;
  // The lowest found; below the fit's if the fit was not at its minimum.
  double objective = kUnknown;
};

// values: the minimum of the stage. Targets run in parallel; the result does not depend on that.
std::vector<ProfileResult> profile(const StageSetup& setup, const std::vector<Observation>& rows,
                                   const std::vector<double>& values,
                                   const std::vector<ProfileTarget>& targets, double level,
                                   const ParallelFor& parallel_for = {});

}  // namespace bitlaw
