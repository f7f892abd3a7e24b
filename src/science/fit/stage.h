// One stage of a fit: the training constants on runs, or the post-training constants on loss
// differences. fit/multistart.h finds its minimum.
#pragma once

#include <vector>

#include "fit/coordinates.h"
#include "fit/fit.h"
#include "fit/residuals.h"

namespace bitlaw {

struct StageSetup {
  const Law* law = nullptr;
  ResidualSettings settings;
  std::vector<double> base;  // the law's constants; those not free stay
  std::vector<int> free;     // positions, ascending
  std::vector<int> tied_to;  // one per constant, -1 = none
  int starts = 64;
  uint64_t seed = 1;
};

bool is_free(const StageSetup& setup, int parameter);

struct StageMinimum {
  std::vector<double> values;  // all the law's constants
  double objective = kUnknown;
  bool converged = false;
  // Starts run, and starts whose minimum is within 1 % of the best. Starts that reached the same
  // point are followed as one; only the best few points are followed to the end.
  int starts = 0, reached = 0;
  // Other minima, at least 1e-3 apart in some coordinate and within a factor of two of the best.
  struct Other {
    double objective;
    std::vector<double> values;
  };
  std::vector<Other> others;
};

// The solver's minimum from one start, as constants of the law.
StageMinimum stage_minimum(const Coordinates& coordinates, const Minimum& minimum);

// The local minimum reached from `values` with weighted rows (a bootstrap draw), to about a
// hundredth of a standard error, which is enough for an interval.
StageMinimum refit_stage(const StageSetup& setup, const std::vector<Observation>& rows,
                         const std::vector<double>& values, const std::vector<double>& weights,
                         double tolerance = 1e-6);

// The residuals of `rows` at `values`, as the stage fits them; empty if one is not finite.
std::vector<double> stage_residuals(const StageSetup& setup, const std::vector<Observation>& rows,
                                    const std::vector<double>& values);

// The Jacobian of the residuals at `values`, one row per row, one column per free constant.
Matrix stage_jacobian(const StageSetup& setup, const std::vector<Observation>& rows,
                      const std::vector<double>& values);

void run_parallel(const ParallelFor& parallel_for, int64_t count,
                  const std::function<void(int64_t)>& task);

}  // namespace bitlaw
