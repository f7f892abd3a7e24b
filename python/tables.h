// What the package gives as a table of runs (bitlaw/_tables.py).
#pragma once

#include <nanobind/nanobind.h>

#include <optional>
#include <string>
#include <vector>

#include "table/raw_table.h"

namespace bitlaw {

// `frame`: what __arrow_c_stream__() of a data frame gave, a list of columns, or None. With the GIL.
std::optional<RawTable> table_from(const nanobind::object& frame);

// Of a directory: the runs that have ended, as `bitlaw fit` reads them.
struct RunsTable {
  RawTable table;
  std::string hash;
  std::vector<std::string> problems;  // files that were left out, and why
};

RunsTable table_of_runs(const std::string& directory);

// Python's warning that some were left out: the notes of a table are easily overlooked. With the GIL.
void warn_of(const std::string& directory, const std::vector<std::string>& problems);

}  // namespace bitlaw
