// Which rows of a table to keep: tables in the wild hold several data sets, methods or phases.
#pragma once

#include <string>
#include <vector>

#include "table/columns.h"
#include "table/raw_table.h"

namespace bitlaw {

// Keeps the rows that meet every condition and returns how many went. A condition is COLUMN=VALUE,
// COLUMN=VALUE,VALUE (either), COLUMN!=VALUE,VALUE (neither), or COLUMN with <, <=, > or >= and a
// number; COLUMN is a name of the file or ours, an empty VALUE an empty field. Values are equal as
// text, or as numbers where both are numbers. Error where there is no such column, where no row has
// a VALUE that is asked for, and where no row is left.
int keep_rows(RawTable& table, const Columns& columns, const std::vector<std::string>& conditions,
              const std::string& where);

}  // namespace bitlaw
