// A row of the tidy table as conditions (base/condition.h) see it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/condition.h"
#include "record/tidy_row.h"

namespace bitlaw {

// Empty if there is no column of this name.
std::optional<ColumnPlace> find_tidy_column(const std::string& name);

std::vector<std::string> tidy_column_names();

// In the order of the columns; texts are those of `row`, which must outlive them.
std::vector<Field> fields_of(const TidyRow& row);

}  // namespace bitlaw
