// Which run would tell apart what the rows cannot? Along the flattest direction v of a fit the
// variance is v' M^-1 v, M = J' J. A run that does not exist yet would add its own row j, known
// before it is made, and take from that variance
//
//   (v' M^-1 j)^2 / (1 + j' M^-1 j)     (Sherman and Morrison)
#pragma once

#include <string>
#include <vector>

#include "fit/stage.h"

namespace bitlaw {

struct SeparatingRun {
  Observation run;    // without a loss
  double gain = 0;    // share of the standard error along v that it would take away
  std::string words;  // a sentence; "" where no run of table/candidates.h takes a twentieth
};

// The cheapest run, in N D, of those that gain at least four fifths of the most. values: the fit's.
SeparatingRun separating_run(const StageSetup& setup, const std::vector<Observation>& rows,
                             const std::vector<double>& values);

}  // namespace bitlaw
