// The rows of one stage of a fit as a least-squares problem over coordinates.
//
//   training   r = log L(run) - log loss
//   post       r = (log delta(run) - log measured) measured / s   where measured > 2 standard
//   errors
//              r = (delta(run) - measured) / s                    below, at and under zero included
//
// s is the standard error, but at least `floor` times the measured delta; where it is unknown, that
// floor. The two forms of r agree to first order where they meet, so nothing is dropped and nothing
// jumps.
#pragma once

#include <vector>

#include "fit/coordinates.h"
#include "fit/solver.h"
#include "laws/observation.h"

namespace bitlaw {

struct ResidualSettings {
  Stage stage = Stage::kTraining;
  double huber = 1e-3;  // Huber's threshold; infinite = squares
  double floor = 0.1;   // least relative error of a delta
};

// Both arguments must outlive the problem. weights: one per row, empty = 1.
ResidualProblem make_problem(const Law& law, const std::vector<Observation>& rows,
                             const Coordinates& coordinates, const ResidualSettings& settings,
                             std::vector<double> weights = {});

// How a delta enters the fit.
struct DeltaScale {
  bool logarithmic;
  double error;  // s, in nats
};
std::vector<DeltaScale> delta_scales(const std::vector<Observation>& rows, double floor);

// log L - log loss of every row of training.
std::vector<double> log_residuals(const Law& law, const std::vector<double>& values,
                                  const std::vector<Observation>& rows);

}  // namespace bitlaw
