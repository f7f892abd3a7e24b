// A table from elsewhere as the rows that a report shows.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "laws/observation.h"
#include "record/tidy_row.h"

namespace bitlaw {

// A row each, in their order. A cell whose method is not known counts as GPTQ, as in a fit.
std::vector<TidyRow> tidy_rows_of(const std::vector<Observation>& rows);

// What a row without a name is called: "row 1" is the first.
std::string name_of_unnamed(size_t place);

}  // namespace bitlaw
