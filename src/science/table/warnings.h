// Warnings about a table that can be read: wrong-looking units, rows that count twice, and designs
// that identify little. Each is a sentence that says what to do.
#pragma once

#include <string>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

// In the order of the list in warnings.cpp; empty if there are none. Warnings about precision are
// left out if the law to fit has no bits.
std::vector<std::string> table_warnings(const std::vector<Observation>& rows,
                                        bool law_uses_bits = true);

// Why no law at all can be fitted (two or more rows in which nothing varies); "" if one can.
std::string nothing_to_fit(const std::vector<Observation>& rows);

}  // namespace bitlaw
