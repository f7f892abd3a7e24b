// Columns that are computed from others: "N=params-50304*width" (base/expression.h).
#pragma once

#include <string>
#include <vector>

#include "table/columns.h"
#include "table/raw_table.h"

namespace bitlaw {

// Adds a column, or replaces the one of that name, for each of `assignments`, in order: later ones may
// use earlier ones. A formula names columns as the file does, or canonically. The result is an empty
// field where an input is one (or a word for a missing value). Error if a formula does not parse, uses
// a column that is not there, meets a field that is not a number or gives none, or if `given` says
// that another column is meant.
void add_computed(RawTable& table, const std::vector<std::string>& assignments,
                  const ColumnMap& given, const std::string& where);

}  // namespace bitlaw
