// The rows of `bitlaw quantize` for people.
#pragma once

#include "base/json.h"

namespace bitlaw::cli {

// A line per row.
void print_rows(const Json& rows);

// What is not seen in a row by itself: the spread over calibrations, and why cells are flagged.
void print_remarks(const Json& rows);

}  // namespace bitlaw::cli
