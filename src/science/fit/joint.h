// Both stages of a fit at once: training and post-training constants are fitted together, so that
// loss differences, which also depend on N_eff, inform the training constants.
//
//   minimise    sum_i rho( (log L(run_i) - log loss_i) / s )  +  sum_j rho_post( r_j )
//
// s, the noise of log loss, puts both sums in the same unit, standard errors; it is the normalised
// median of the residuals of the training stage alone, and is kept fixed.
#pragma once

#include <vector>

#include "fit/stage.h"

namespace bitlaw {

// The rows of both stages with their setups; neither list is empty.
struct JointSetup {
  StageSetup training, post;
  double noise = kUnknown;  // s

  // What both stages leave free.
  std::vector<int> free() const;
};

// s of the training residuals at `values`; at least 1e-9, that of a table without noise.
double training_noise(const StageSetup& training, const std::vector<Observation>& rows,
                      const std::vector<double>& values);

// The local minimum reached from `values`, the staged fit. weights: of training rows then post
// rows, a bootstrap draw; empty = 1.
StageMinimum fit_joint(const JointSetup& setup, const std::vector<Observation>& training_rows,
                       const std::vector<Observation>& post_rows, const std::vector<double>& values,
                       const std::vector<double>& weights = {});

}  // namespace bitlaw
