// Which rows of a table to keep: real tables mix data sets, methods or phases.
#pragma once

#include <string>
#include <vector>

#include "table/columns.h"
#include "table/raw_table.h"

namespace bitlaw {

// Keeps the rows that satisfy every condition (base/condition.h; a column by the file's or the
// canonical name) and returns the number removed. Error if a condition is invalid, if no row has a
// value that it requires, or if no row is left.
int keep_rows(RawTable& table, const Columns& columns, const std::vector<std::string>& conditions,
              const std::string& where);

}  // namespace bitlaw
