// Observations as a table: the columns that read_table() (table/table.h) reads, written.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "laws/observation.h"

namespace bitlaw {

// With the columns that are not empty, and N, D, bits and loss. All digits are kept.
std::string table_to_csv(const std::vector<Observation>& rows);
// Further columns, after those of the rows: a field for every row; "" = none.
struct ExtraColumn {
  std::string name;
  std::vector<std::string> fields;
};
std::string table_to_csv(const std::vector<Observation>& rows,
                         const std::vector<ExtraColumn>& extra);
// A list of objects with the same columns.
Json table_to_json(const std::vector<Observation>& rows);

}  // namespace bitlaw
