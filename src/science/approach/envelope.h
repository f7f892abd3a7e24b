// Approach 1 of Hoffmann et al. (2022): learning curves of runs of several sizes; at every C the size with
// the least loss so far is the best one.
//
// Sizes are few, so N_opt(C) is a staircase, and a line through k whole steps is too flat by 1 - 1/k^2 (11 %
// for three). The points of the power law are therefore the crossings: the C at which the curve of one
// size falls below that of the next smaller one, with the geometric mean of both sizes. Only crossings on
// the lower envelope count, where both curves go on. Intervals come from the scatter of the crossings
// around the line; resampling whole runs drops sizes, and gave intervals that held the truth in all of 200
// simulated studies.
#pragma once

#include <string>
#include <vector>

#include "approach/optima.h"

namespace bitlaw {

struct LearningCurve {
  std::string run;
  double params = kUnknown;               // N, counted as the options say
  std::vector<double> tokens, loss_nats;  // by ascending tokens
};

struct Crossing {
  double compute;
  double smaller, larger;  // the sizes
};

struct EnvelopeFit {
  int curves = 0, sizes = 0;
  double compute_ratio = 6;         // C / (N D)
  std::vector<Crossing> crossings;  // by ascending C
  Optima optima;
};

// The curves among the rows: clusters of at least ten rows of one N with growing tokens.
std::vector<LearningCurve> learning_curves(const std::vector<Observation>& rows,
                                           const ApproachOptions& options);

EnvelopeFit fit_envelope(const std::vector<LearningCurve>& curves, double compute_ratio,
                         const ApproachOptions& options);

}  // namespace bitlaw
