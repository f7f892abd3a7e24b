// A power law through a few points, as a line through their logarithms.
#pragma once

#include <span>

#include "laws/observation.h"

namespace bitlaw {

struct PowerLine {
  double middle = 0;        // of log x
  double level = kUnknown;  // of log y there
  double slope = kUnknown;  // the exponent
  double excess = 0;        // deviation of log y beyond the errors of the points

  double at(double log_x) const { return level + slope * (log_x - middle); }
};

// Weighted least squares. `variances`: of log y; empty = all alike. What the points scatter beyond their
// errors is estimated by moments (DerSimonian and Laird 1986) and added to every variance, so that one
// exact point does not decide alone. Needs two different x.
PowerLine fit_power_line(std::span<const double> log_x, std::span<const double> log_y,
                         std::span<const double> variances);

// With the weights that an earlier line found.
PowerLine refit_power_line(std::span<const double> log_x, std::span<const double> log_y,
                           std::span<const double> variances, double excess);

}  // namespace bitlaw
