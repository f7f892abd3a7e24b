// How far every row lies from a fitted law, as the fit counts it.
//
//   log loss          log(predicted / measured)
//   loss              predicted - measured, nats per token (residual: linear)
//   standard errors   of a difference (a delta, or a gap): fit/residuals.h
//
// standardised = sqrt(weight) residual / s, where s = median |sqrt(weight) r| / 0.6745 sqrt(n / (n - k)) over
// the n rows of the stage with k fitted constants: the deviation that Huber's threshold is 1.345 of
// (fit/threshold.h). Differences are in standard errors as they are.
#pragma once

#include <string>
#include <vector>

#include "fit/fit.h"
#include "laws/observation.h"

namespace bitlaw {

struct RowResidual {
  size_t row = 0;         // of those that the fit was given
  std::string left_out;   // why the fit has not used it; "" = it has, and what follows is known
  Observation run;        // N as the law counts it
  std::string unit;       // "log loss", "loss" or "standard errors"
  bool of_delta = false;  // of the difference, not the loss
  double measured = kUnknown, predicted = kUnknown;  // nats per token
  double residual = kUnknown;      // of the fit's kind, predicted against measured
  double weight = 1;               // of its square in the objective
  double standardised = kUnknown;  // NaN: too few rows to know s
  bool outlier = false;            // beyond Huber's threshold, so its pull is bounded
};

// In the order of the rows. `options`: those of the fit, and `fit` has no other rows: Error where its
// objective, its points or its squared residuals say so.
std::vector<RowResidual> row_residuals(const Law& unbound, const std::vector<Observation>& rows,
                                       const FitOptions& options, const Fit& fit);

}  // namespace bitlaw
