// Which rows of a table to keep: tables in the wild hold several data sets, methods or phases.
#pragma once

#include <string>
#include <vector>

#include "table/columns.h"
#include "table/raw_table.h"

namespace bitlaw {

// Keeps the rows that meet every condition (base/condition.h; a column by the file's name or by
// ours) and returns how many went. Error if a condition is wrong, if no row has a value that it asks
// for, and if no row is left.
int keep_rows(RawTable& table, const Columns& columns, const std::vector<std::string>& conditions,
              const std::string& where);

}  // namespace bitlaw
