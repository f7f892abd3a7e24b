// The rows of `bitlaw quantize` for people.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "quantize/cell_row.h"

namespace bitlaw::cli {

// "RUN", or "RUN@N" for the model kept along it after N tokens (null: the final one).
std::string model_name(const std::string& run, const Json& at_tokens);

// A line per row.
void print_rows(const std::vector<CellRow>& rows);

// What is not seen in a row by itself: the spread over calibrations, and why cells are flagged.
void print_remarks(const std::vector<CellRow>& rows);

}  // namespace bitlaw::cli
