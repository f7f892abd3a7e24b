// Several files as one table: their rows after each other, with the columns of all.
#pragma once

#include <string>
#include <vector>

#include "table/raw_table.h"

namespace bitlaw {

struct NamedTable {
  std::string name;  // of its file, for messages and for the column "file"
  RawTable table;
};

// One table is given back as it is. Several get a column "file" with the names, if none has a column
// of that name; messages name the file of a row, and the kind is "several" if they differ.
RawTable join_tables(std::vector<NamedTable> tables);

}  // namespace bitlaw
