// The rows of `bitlaw quantize` for people.
#pragma once

#include <vector>

#include "quantize/cell_row.h"

namespace bitlaw::cli {

// A line per row.
void print_rows(const std::vector<CellRow>& rows);

// What is not seen in a row by itself: the spread over calibrations, and why cells are flagged.
void print_remarks(const std::vector<CellRow>& rows);

}  // namespace bitlaw::cli
