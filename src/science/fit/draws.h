// The bootstrap of a fit: refits on clusters of rows drawn with replacement, both stages on the same
// clusters.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fit/allowed.h"
#include "fit/joint.h"
#include "fit/setup.h"

namespace bitlaw {

// A stage at its minimum. `setup->free` is empty if it was not fitted.
struct DrawnStage {
  const StageSetup* setup;
  const Allowed* allowed;
};

// A value for every constant of the law, for every draw that had rows enough. Where a stage's rows
// leave constants open, every draw starts from another point that they allow, so that draws spread
// over all of them. `best`: the fitted constants. Adds notes on what was left out.
std::vector<std::vector<double>> bootstrap_draws(
    const StageRows& rows, const DrawnStage& training, const DrawnStage& post,
    const std::optional<JointSetup>& joint, const std::vector<double>& best,
    const FitOptions& options, const ParallelFor& parallel_for, std::vector<std::string>& notes);

}  // namespace bitlaw
