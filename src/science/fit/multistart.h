// From many starts to the best minimum of a stage, with one of two strategies:
//
//   fit_stage        runs all starts, on a sketch of the rows if there are many; the best points
//                    are then followed to minima over all rows. For single fits.
//   fit_adaptively   runs starts in batches, each to its minimum, until the rule of Boender and
//                    Rinnooy Kan (1987, "Bayesian stopping rules for multistart global
//                    optimization methods") expects less than half an unseen minimum: after n
//                    starts that ended in w different minima it expects w (n - 1) / (n - w - 2)
//                    minima in all. One minimum takes 16 starts (the smallest number), three
//                    take 32, six take the maximum. For hundreds of fits: comparisons, designs,
//                    held-out rows.
#pragma once

#include <vector>

#include "fit/stage.h"

namespace bitlaw {

// The best minimum over all starts.
StageMinimum fit_stage(const StageSetup& setup, const std::vector<Observation>& rows,
                       const ParallelFor& parallel_for = {});

struct Multistart {
  StageMinimum best;  // with its counts of starts
  int minima = 0;     // objectives more than 1 % apart
};

// setup.starts: the maximum. hints: further starting constants, such as the minimum for almost the
// same rows.
Multistart fit_adaptively(const StageSetup& setup, const std::vector<Observation>& rows,
                          const std::vector<std::vector<double>>& hints = {},
                          const ParallelFor& parallel_for = {});

}  // namespace bitlaw
