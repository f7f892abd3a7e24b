// The error of a law on held-out rows (fit/masks.h chooses them).
#pragma once

#include <string>
#include <vector>

#include "fit/fit.h"
#include "fit/masks.h"
#include "fit/stage.h"

namespace bitlaw {

// Every row that some mask holds out, predicted by a fit to the others.
struct Unseen {
  // log prediction - log measurement, one per row; NaN if it is not predicted, or has no logarithm
  // (log_residuals).
  std::vector<double> logs;
  // Of deltas: in standard errors, as they are fitted; every predicted row has one. Empty of losses.
  std::vector<double> errors;
  std::string missing;  // why rows are not predicted; "" if every held-out row is

  // The residuals that laws are compared by, in log loss or in standard errors of delta.
  const std::vector<double>& residuals() const { return errors.empty() ? logs : errors; }
};

// hints: as for fit_adaptively. Constants that the other rows do not identify keep base values.
// Rows of a class that the others lack are not predicted; nothing is predicted if the others are no
// more than the constants.
Unseen predict_unseen(const StageSetup& setup, const std::vector<Observation>& rows,
                      const std::vector<std::vector<bool>>& masks,
                      const std::vector<std::vector<double>>& hints = {},
                      const ParallelFor& parallel_for = {});

// Root mean squares, those of logarithms with a standard error over clusters.
HeldOut summarise(const std::string& split, const std::vector<Observation>& rows,
                  const Unseen& unseen);

}  // namespace bitlaw
