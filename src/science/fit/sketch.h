// A few rows that stand for all of them, for the first way downhill of many starts: it need not be
// exact, as what is found is followed to the minimum over all rows.
#pragma once

#include <cstdint>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

// `count` of the rows, in their order (all of them where there are no more). Rows are sorted by
// precision, size and data, cut into `count` equal parts, and one is drawn from each: every
// precision, size and amount of data keeps about its share, whatever the design of the study.
std::vector<Observation> sketch_of(const std::vector<Observation>& rows, size_t count,
                                   uint64_t seed);

}  // namespace bitlaw
