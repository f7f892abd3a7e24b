// What the tables of earlier versions call things. Up to version 0.2, one scale per sequence was
// called tensor (formats/recipe.h). Elsewhere tensor means what it says, so only our own tables are
// read in the old way (docs/decisions/0015-what-shares-a-scale.md).
#pragma once

#include <string>
#include <vector>

namespace bitlaw {

// Whether a table with these columns was written by `bitlaw runs` of version 0.1 or 0.2: it has
// columns that only those tables have, and none that came later.
bool is_table_of_version_0_2(const std::vector<std::string>& columns);

// The columns whose values had the old name.
const std::vector<std::string>& columns_with_old_scales();

// The conditions (base/condition.h) on those columns with "sequence" for "tensor", and a note on each
// that was changed. `option` is theirs for messages. Error if one does not parse.
std::vector<std::string> with_current_scales(const std::string& option,
                                             std::vector<std::string> conditions,
                                             std::vector<std::string>& notes);

}  // namespace bitlaw
