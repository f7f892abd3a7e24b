// A table from CSV (base/csv.h): a header line, then one row per record.
#pragma once

#include <string>

#include "table/raw_table.h"

namespace bitlaw {

// `separator` 0 takes the comma, semicolon or tab that the header line has most of. A column
// without a name is called "column 3". Error, with the line, if the text has no header, a column
// appears twice, a record has a different number of fields than the header, or a quoted field never
// ends.
RawTable read_csv(const std::string& text, const std::string& where, char separator = 0);

}  // namespace bitlaw
