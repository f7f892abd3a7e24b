// One [[grid]] of a study file: the product of its lists, and with ranges so many points of each
// combination (sweep/ranges.h).
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "sweep/study.h"

namespace bitlaw {

// Appends the cells and returns the ranges; `require` of the grid is not looked at. `base` has the keys
// that every cell begins with, `variants` the named bundles of keys. Error, naming `where` (the file),
// if something is wrong or there would be more than `most_cells` in all.
std::vector<GridRange> expand_grid(Json grid, const Json& base, const Json& variants,
                                   const std::string& where, size_t most_cells,
                                   std::vector<Cell>& cells);

}  // namespace bitlaw
