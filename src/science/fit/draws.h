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

struct Draws {
  std::vector<std::vector<double>> values;  // for every draw that had rows enough, all constants
  // Rows were weighted by fractions rather than drawn: where whole counts lose the only rows of a
  // constant, its draws run away, and the intervals are several times too long.
  bool fractional = false;
};

// Where a stage's rows leave constants open, every draw starts from another point that they allow,
// so that draws spread over all of them. `best`: the fitted constants. Adds notes on what was left
// out.
Draws bootstrap_draws(const StageRows& rows, const DrawnStage& training, const DrawnStage& post,
                      const std::optional<JointSetup>& joint, const std::vector<double>& best,
                      const FitOptions& options, const ParallelFor& parallel_for,
                      std::vector<std::string>& notes);

}  // namespace bitlaw
