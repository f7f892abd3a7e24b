// What a fitted law misses: the residual of every run, against N, D and C, and what stands out in them.
#pragma once

#include <vector>

#include "base/json.h"
#include "laws/observation.h"

namespace bitlaw {

// .figures.residuals of the document, null without a law of losses or without rows:
//   .sentences[]   how large they are; which part of N, D, C or precision is off in the mean; which
//                  runs lie beyond the rows of the fit, and by how much
//   .panels[]      x ("N", "D", "C", "bits"), by (what the colours are), sentence (the mean residuals at
//                  both ends of x), series[]: name, points[] {x, y: per cent of the loss, measured above
//                  predicted; run, N, D}
Json residual_figure(const std::vector<Observation>& rows, const Json& fit);

// .figures.predicted of a table: points[] {x: predicted, y: measured, kind, run, N, D}.
Json predicted_of_table(const std::vector<Observation>& rows, const Json& fit);

}  // namespace bitlaw
