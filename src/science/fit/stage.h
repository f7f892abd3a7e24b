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
  std::vector<int> free;     // positions, rising
  std::vector<int> tied_to;  // one per constant, -1 = none
  int starts = 64;
  uint64_t seed = 1;
};

struct StageMinimum {
  std::vector<double> values;  // all the law's constants
  double objective = kUnknown;
  bool converged = false;
  // Started; ended, where followed, within 1 % of the best objective (starts that met are followed
  // as one; of points behind the best few nobody knows).
  int starts = 0, reached = 0;
};

// A minimum of the solver, as constants of the law; of one start.
StageMinimum stage_minimum(const Coordinates& coordinates, const Minimum& minimum);

// The minimum downhill of `values`, rows weighted (a bootstrap draw). Found to about a hundredth of
// a standard error, which is plenty for an interval.
StageMinimum refit_stage(const StageSetup& setup, const std::vector<Observation>& rows,
                         const std::vector<double>& values, const std::vector<double>& weights);

// The Jacobian of the residuals at `values`, a row per row, a column per free constant.
Matrix stage_jacobian(const StageSetup& setup, const std::vector<Observation>& rows,
                      const std::vector<double>& values);

void run_parallel(const ParallelFor& parallel_for, int64_t count,
                  const std::function<void(int64_t)>& task);

}  // namespace bitlaw
