// A small sample of the rows for the first descent of many starts. It need not be exact, because
// the results are followed to minima over all rows.
#pragma once

#include <cstdint>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

// `count` of the rows, in their order (all of them if there are no more). Rows are sorted by
// precision, size and data and cut into `count` equal parts, and one is drawn from each: every
// precision, size and token count keeps about its share, for any design of the study.
std::vector<Observation> sketch_of(const std::vector<Observation>& rows, size_t count,
                                   uint64_t seed);

}  // namespace bitlaw
