// How precisely rows tell the constants of a stage, from the curvature of its objective at the
// minimum and the noise of its residuals:
//
//   covariance = H^-1 S H^-1,     H = mean(rho''(r)) J' W J,     S = sum over clusters of g g',
//   g = sum over the cluster's rows of w rho'(r) J_i
//
// the sandwich of M-estimation (Huber 1967) by clusters (Liang and Zeger 1986). Where every row is
// a cluster of its own, S = mean(rho'(r)^2) J' W J, which for least squares is the usual sigma^2
// (J' W J)^-1. Both are enlarged for the constants that were fitted: n / (n - p), n clusters.
//
// Huber's rho'' is 1 within the threshold and 0 beyond. With a threshold well below the noise few
// rows are within it, so their share is taken from a wider window, over which the density of
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

// Share of residuals within `threshold` of zero, from a window of at least their bandwidth; 1 where
// the threshold is infinite. constants: how many were fitted. As many rows are met exactly where
// rho is straight (least absolute deviations), which says nothing of the density: they are not
// counted, in proportion (McKean and Schrader 1987).
double share_within(const std::vector<double>& residuals, double threshold, int constants = 0);

// Inverse of a symmetric matrix, of its columns scaled to one; directions flatter than 1e-12 are
// left out.
Matrix stable_inverse(const Matrix& symmetric);

}  // namespace bitlaw
