// Profile likelihood: along a quantity q, the least objective over everything else,
//
//   F(v) = min over the constants with q = v of the objective,
//
// and the interval where 2 (F(v) - F_min) <= lambda t^2. t is Student's quantile. lambda is what
// makes the rise of the objective count in squared standard errors: the variance of q by the
// sandwich (fit/sandwich.h) over the one that the curvature alone would give (Chandler and Bate
// 2007). For least squares of independent rows lambda is the estimated sigma^2, and for a law that is
// linear in its constants the interval is that of linear regression. Unlike a standard error it
// follows a bent valley, may be lopsided, and may have no end.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fit/stage.h"
#include "fit/uncertainty.h"

namespace bitlaw {

// What to follow: a constant, or a smooth function of all constants.
struct ProfileTarget {
  std::string name;
  int parameter = -1;                             // position in the law, free in the stage; or
  std::function<double(const double* p)> follow;  // NaN where it has no value
};

struct ProfileResult {
  ProfileInterval profile;
  double objective = kUnknown;  // the least that was met; below the fit's where that had not ended
};

// values: the minimum of the stage. Targets run in parallel; the result does not depend on that.
std::vector<ProfileResult> profile(const StageSetup& setup, const std::vector<Observation>& rows,
                                   const std::vector<double>& values,
                                   const std::vector<ProfileTarget>& targets, double level,
                                   const ParallelFor& parallel_for = {});

}  // namespace bitlaw
