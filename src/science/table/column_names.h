// The names of columns that tables may have, for documentation and its test.
#pragma once

#include <string>
#include <vector>

namespace bitlaw {

struct ColumnNames {
  std::string name;                // canonical
  std::vector<std::string> usual;  // plain names (record/factor_names.h) that are read as it
};

// Of every column with a meaning, then of the factors and the seeds.
std::vector<ColumnNames> column_names();

}  // namespace bitlaw
