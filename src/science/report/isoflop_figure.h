// isoFLOP curves of the runs (approach/isoflop.h): loss against N for each training budget.
#pragma once

#include <vector>

#include "base/json.h"
#include "laws/observation.h"

namespace bitlaw {

// .figures.isoflop of the document, null if no budget has runs of three sizes:
//   .sentences[]   exponents, which budgets enclose their minimum, what was left out
//   .budgets[]     C, points[] {x: N, y: nats}, parabola[], law[] (of the fit), minimum {x, y, low, high}
//                  or missing
// Of the precision that most runs have; `fit`: of fit_to_json, or null.
Json isoflop_figure(const std::vector<Observation>& rows, const Json& fit);

}  // namespace bitlaw
