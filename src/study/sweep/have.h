// --have TABLE: cells whose rows stand in a published table (`bitlaw runs --csv`) are not run again.
//
// A row is a cell if it has the name of the cell's run. In a table without names it is if every
// factor (record/factor.h), N, D, the precisions and the seed that the table has are those of the
// cell; the table must have at least N, D, P_w, P_a, P_kv, lr, batch_tokens, seed and data_hash.
// Either way the row must have ended: finished or diverged. A cell that the study quantizes stands in
// the table only if all its quantized cells do, under its name.
#pragma once

#include <string>
#include <vector>

#include "sweep/plan.h"

namespace bitlaw {

// Sets PlannedRun::table. Notes say how many cells are taken from each table, and why rows do not
// count. Error for a table that cannot be read.
void take_from_tables(SweepPlan& plan, const std::vector<std::string>& tables);

}  // namespace bitlaw
