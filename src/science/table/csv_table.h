// A table from text with a header line, then one row per record: CSV (base/csv.h), and the layouts of
// text_layout.h.
#pragma once

#include <string>

#include "table/raw_table.h"

namespace bitlaw {

// `separator` 0: any. Where the first line has a field more than the header, and begins with a name
// or 1, the first column are the names of rows, as R writes them ("row names"). A column without a name is called "column 3". Where the separator is not the
// comma, numbers may have decimal commas (decimal_comma.h). Error, with the line, if the text has no header, a column
// appears twice, a record has a different number of fields than the header, or a quoted field never
// ends.
RawTable read_csv(const std::string& text, const std::string& where, char separator = 0);

}  // namespace bitlaw
