// Columns in memory as a table of runs: what the package makes of dicts of arrays, lists of dicts and data
// frames without the Arrow stream (bitlaw/_tables.py).
#pragma once

#include <nanobind/nanobind.h>

#include "table/raw_table.h"

namespace bitlaw {

// A list of (name, values): a contiguous array of float64 or int64, or a list of text, numbers, True, False
// and None. NaN, None and empty text are empty fields. Error for other values, or columns of unequal length.
RawTable table_of_columns(const nanobind::list& columns);

}  // namespace bitlaw
