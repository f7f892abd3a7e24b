// The error of a law on held-out rows (fit/masks.h chooses them).
#pragma once

#include <string>
#include <vector>

#include "fit/fit.h"
#include "fit/masks.h"
#include "fit/stage.h"

namespace bitlaw {

enum class Measure {
  kLog,             // log prediction - log measurement; NaN for a delta that is mostly noise
  kStandardErrors,  // of deltas, as they are fitted: every row counts
};

// Every row that some mask holds out, predicted by a fit to the others.
struct Unseen {
  std::vector<double> residuals;  // one per row; NaN if not predicted
  std::string missing;            // why not; "" if every held-out row is predicted
};

// hints: as for fit_adaptively. Constants that the other rows do not identify keep base values.
// Rows of a class that the others lack are not predicted; nothing is predicted if the others are no
// more than the constants.
Unseen predict_unseen(const StageSetup& setup, const std::vector<Observation>& rows,
                      const std::vector<std::vector<bool>>& masks, Measure measure,
                      const std::vector<std::vector<double>>& hints = {},
                      const ParallelFor& parallel_for = {});

// Squares of log residuals.
std::vector<double> held_out_squares(const StageSetup& setup, const std::vector<Observation>& rows,
                                     const std::vector<std::vector<bool>>& masks,
                                     const ParallelFor& parallel_for = {});

// Held-out rows whose delta is not clear (fit/residuals.h): they have no log residual.
int unclear_deltas(const std::vector<Observation>& rows,
                   const std::vector<std::vector<bool>>& masks);

// Their root mean, with its standard error over clusters.
HeldOut summarise(const std::string& split, const std::vector<Observation>& rows,
                  const std::vector<double>& squares);

}  // namespace bitlaw
