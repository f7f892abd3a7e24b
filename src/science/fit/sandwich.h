// The covariance of the constants of a stage, from the curvature of its objective at the minimum
// and the noise of its residuals:
//
//   covariance = H^-1 S H^-1,     H = mean(rho''(r)) J' W J,     S = sum over clusters of g g',
//   g = sum over the cluster's rows of w rho'(r) J_i
//
// the cluster-robust (Liang and Zeger 1986) sandwich of M-estimation (Huber 1967). If every row is
// its own cluster, S = mean(rho'(r)^2) J' W J, which for least squares gives the usual
// sigma^2 (J' W J)^-1. Both are multiplied by n / (n - p) for n clusters and p fitted constants.
//
// Huber's rho'' is 1 within the threshold and 0 beyond. With a threshold well below the noise few
// rows are within it, so their share is estimated from a wider window, over which the density of
// residuals hardly changes.
#pragma once

#include <vector>

#include "fit/stage.h"

namespace bitlaw {

struct Sandwich {
  Matrix curvature;           // H over the coordinates of the stage
  Matrix covariance;          // of the coordinates
  double freedom = kUnknown;  // degrees of freedom: clusters less constants, at least 1
};

// values: a minimum of the stage.
Sandwich sandwich_of(const StageSetup& setup, const std::vector<Observation>& rows,
                     const std::vector<double>& values);

// Share of residuals within `threshold` of zero, from a window of at least their bandwidth; 1 if
// the threshold is infinite. constants: the number of fitted ones. With a linear rho (least
// absolute deviations) as many rows are fitted exactly, which does not inform the density: they are
// discounted in proportion (McKean and Schrader 1987).
double share_within(const std::vector<double>& residuals, double threshold, int constants = 0);

// Inverse of a symmetric matrix, of its columns scaled to one; directions flatter than 1e-12 are
// left out.
Matrix stable_inverse(const Matrix& symmetric);

}  // namespace bitlaw
