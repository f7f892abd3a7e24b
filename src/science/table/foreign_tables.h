// Tables that are not what a fit takes: losses in other units, a column for each run, names of two
// meanings. What to say to their owners.
#pragma once

#include <string>
#include <vector>

#include "table/columns.h"
#include "table/raw_table.h"

namespace bitlaw {

// Losses per byte and per character: what to say, or "" if the file has none.
std::string loss_in_other_units(const std::vector<std::string>& header);

// Adds a note on a column that is called block_size and not read.
void note_block_size(const RawTable& table, const Columns& columns,
                     std::vector<std::string>& notes);

// A file with a column for each run rather than a row: what to do, or "". `missing`: canonical names.
std::string foreign_layout(const RawTable& table, const std::vector<std::string>& missing);

}  // namespace bitlaw
