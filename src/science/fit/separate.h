// Which further run would best separate the constants that the rows do not? Along the flattest
// direction v of a fit the variance is v' M^-1 v, M = J' J. A planned run adds a row j, known
// before the run is made, and reduces that variance by
//
//   (v' M^-1 j)^2 / (1 + j' M^-1 j)     (Sherman and Morrison)
#pragma once

#include <string>
#include <vector>

#include "fit/stage.h"

namespace bitlaw {

struct SeparatingRun {
  Observation run;    // without a loss
  double gain = 0;    // share by which it reduces the standard error along v
  std::string words;  // a sentence; "" if no run of table/candidates.h gains a twentieth
};

// The cheapest run, in N D, of those with at least four fifths of the largest gain. values: the
// fit's.
SeparatingRun separating_run(const StageSetup& setup, const std::vector<Observation>& rows,
                             const std::vector<double>& values);

}  // namespace bitlaw
