// Rows that say the same: the same row twice, which counts a run twice, and runs repeated with
// other seeds, which is how noise is told.
#pragma once

#include <vector>

#include "laws/observation.h"

namespace bitlaw {

struct Repeats {
  int duplicates = 0;  // rows that repeat an earlier one in everything, losses included
  int replicates = 0;  // rows that differ from another only in what was measured
};

Repeats count_repeats(const std::vector<Observation>& rows);

// Keeps the first of equal rows; returns how many went.
int drop_duplicates(std::vector<Observation>& rows);

}  // namespace bitlaw
