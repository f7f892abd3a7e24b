// Does a law miss more than noise? Its residuals against the spread of runs that differ in nothing but
// the seed (table/pure_error.h):
//
//   F = [(SSE - SSP) / (n - k - f)] / [SSP / f]
//
// SSE is the sum of squared residuals of log loss over n rows, k the number of fitted constants, SSP
// the sum of squared deviations of replicates around their mean, with f degrees of freedom. If the
// law is right, F has Fisher's distribution with n - k - f and f degrees of freedom (Draper and Smith,
// Applied Regression Analysis, section 2.2).
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "table/pure_error.h"

namespace bitlaw {

struct LackOfFit {
  double residual = kUnknown;  // root of SSE / (n - k), relative to the loss
  double noise = kUnknown;     // root of SSP / f
  double f = kUnknown, p = kUnknown;
  int freedom = 0, noise_freedom = 0;

  static constexpr double kClear =
      0.01;  // a p-value below says that the law misses more than noise
  bool is_clear() const { return p < kClear; }
};

// Nothing where the replicates have fewer than PureError::kFewestFreedom degrees of freedom, or the
// rows are no more than constants and replicates take up.
std::optional<LackOfFit> lack_of_fit(double sse_of_logs, int rows, int constants,
                                     const PureError& error);

// "lack of fit: residuals of 0.81 % against 0.21 % between seeds, F(60, 12) = 15.2, p = 3e-07: ..."
std::string lack_of_fit_text(const LackOfFit& lack);
Json lack_of_fit_json(const std::optional<LackOfFit>& lack);

}  // namespace bitlaw
