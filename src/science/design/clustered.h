// What rows tell that err together. Runs that branch from one trunk share a part of their error, so
// that ten of them say less than ten independent runs.
#pragma once

#include <vector>

#include "solve/solver.h"

namespace bitlaw {

// The information of the least-squares estimate from rows of derivatives (residuals in standard
// errors) whose errors correlate by rho within a cluster
// (fit/shared_share.h):
//
//   H S^-1 H,    H = J' J,    S = sum over clusters of J_c' R J_c,    R = (1 - rho) I + rho 1 1'
//
// It is J' J if rho is 0 or every row is its own cluster. (The sandwich of fit/sandwich.h takes S from
// the residuals, which has no more rank than there are clusters.)
Matrix clustered_information(const Matrix& jacobian, const std::vector<int>& cluster, double rho);

}  // namespace bitlaw
