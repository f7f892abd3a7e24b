// Runs to predict that were written down rather than measured: `bitlaw predict N=1e9 D=2e10`.
#pragma once

#include <string>
#include <vector>

#include "ask/predictions.h"
#include "laws/observation.h"
#include "table/raw_table.h"
#include "table/table.h"

namespace bitlaw {

// Of a table whose columns are the names that were given; `where` they were given, as errors call it.
// Compute alone, C, is enough for a law of C = 6 N D. Error, in one sentence, if a law needs a value that
// is missing, a name is unknown, or C is given beside N and D and is not 6 N D.
std::vector<Observation> described_runs(RawTable raw, const std::string& where,
                                        const std::vector<Predicting>& by,
                                        const TableOptions& reading);

}  // namespace bitlaw
