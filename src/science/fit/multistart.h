// As many starts as a fit seems to need. Starts are followed to the end in batches, until the rule
// of Boender and Rinnooy Kan (1987, "Bayesian stopping rules for multistart global optimization
// methods") expects less than half a minimum that has not been seen: after n starts that ended in w
// different minima there should be w (n - 1) / (n - w - 2) of them. One minimum takes 16 starts
// (the least), three take 32, six as many as are allowed.
#pragma once

#include <vector>

#include "fit/stage.h"

namespace bitlaw {

struct Multistart {
  StageMinimum best;  // with its counts of starts, and of those within 1 % of the best objective
  int minima = 0;     // objectives more than 1 % apart
};

// setup.starts: the most. hints: constants of the law to start from besides, such as the minimum
// for almost the same rows.
Multistart fit_adaptively(const StageSetup& setup, const std::vector<Observation>& rows,
                          const std::vector<std::vector<double>>& hints = {},
                          const ParallelFor& parallel_for = {});

}  // namespace bitlaw
