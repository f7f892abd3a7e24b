// What looks odd in a table of runs although it can be read: units that look wrong, rows that count
// twice, and designs from which a fit can tell little. Sentences for people, each with what to do.
#pragma once

#include <string>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

// In the order of the list in warnings.cpp; empty where nothing is odd. What concerns precision
// alone is left out where the law to fit has no bits.
std::vector<std::string> table_warnings(const std::vector<Observation>& rows,
                                        bool law_uses_bits = true);

// Why no law at all can be fitted, "" where one can: two or more rows in which nothing varies.
std::string nothing_to_fit(const std::vector<Observation>& rows);

}  // namespace bitlaw
