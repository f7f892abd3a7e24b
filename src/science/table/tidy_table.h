// The tidy rows of runs as a table: the same columns as their CSV, with numbers as numbers.
#pragma once

#include <vector>

#include "record/tidy_row.h"
#include "table/raw_table.h"

namespace bitlaw {

RawTable tidy_table(const std::vector<TidyRow>& rows);

}  // namespace bitlaw
