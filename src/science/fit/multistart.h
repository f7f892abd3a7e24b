// From many starts to the best minimum of a stage. Two rules say how many starts go down, and how far:
//
//   all of them       on a sketch of the rows where they are many; the best points where starts meet
//                     are followed to minima over all rows. A fit that people read.
//   until enough is   in batches, each start to the end, until the rule of Boender and Rinnooy Kan
//   seen              (1987, "Bayesian stopping rules for multistart global optimization methods")
//                     expects less than half a minimum that has not been seen: after n starts that
//                     ended in w different minima there should be w (n - 1) / (n - w - 2) of them. One
//                     minimum takes 16 starts (the least), three take 32, six as many as are allowed.
//                     Fits by the hundred: comparisons, designs, rows held out.
#pragma once

#include <vector>

#include "fit/stage.h"

namespace bitlaw {

// The best minimum of all starts.
StageMinimum fit_stage(const StageSetup& setup, const std::vector<Observation>& rows,
                       const ParallelFor& parallel_for = {});

struct Multistart {
  StageMinimum best;  // with its counts of starts, and of those within 1 % of the best objective
  int minima = 0;     // objectives more than 1 % apart
};

// Until enough is seen. setup.starts: the most. hints: constants of the law to start from besides, such
// as the minimum for almost the same rows.
Multistart fit_adaptively(const StageSetup& setup, const std::vector<Observation>& rows,
                          const std::vector<std::vector<double>>& hints = {},
                          const ParallelFor& parallel_for = {});

}  // namespace bitlaw
