// Which rows of a table to keep: real tables mix data sets, methods or phases.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "laws/observation.h"
#include "table/columns.h"
#include "table/raw_table.h"

namespace bitlaw {

// The precision and the sizes of a row.
using Observe = std::function<Observation(const RawRow& row)>;

// Keeps the rows that satisfy every condition (base/condition.h) and returns the number removed. A
// column is named as in the file, canonically, or, if there is no such column, as in
// observation_columns.h: `observe` reads what those are made of, after all other conditions. Error
// if a condition is invalid, if no row has a value that it requires, or if no row is left. `notes` gets
// the conditions that leave out rows only because their field is empty, as granularity_a is where
// activations are not quantized.
int keep_rows(RawTable& table, const Columns& columns, const std::vector<std::string>& conditions,
              const std::string& where, const Observe& observe, std::vector<std::string>& notes);

}  // namespace bitlaw
