// Rows that err together tell less than as many independent ones. Runs that branch from one trunk
// share a part of their error.
#pragma once

#include <vector>

#include "solve/solver.h"

namespace bitlaw {

// The share rho of the variance that two rows of one cluster have in common, at least 0: the mean
// product of residuals over pairs of one cluster, over their mean square. 0 without pairs.
double shared_share(const Vector& residuals, const std::vector<int>& cluster);

// How many independent rows estimate a mean as well as these: the sum over clusters of m rows of
//
//   m / (1 + (m - 1) rho)
//
// from the number of clusters (rho = 1) to that of rows (rho = 0). Kish 1965, Survey Sampling,
// section 5.4, for clusters of one size.
double independent_rows(const std::vector<int>& cluster, double rho);

}  // namespace bitlaw
