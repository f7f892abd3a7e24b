// Repeated rows: duplicates, which count a run twice, and replicates with other seeds, which
// measure the noise.
#pragma once

#include <vector>

#include "laws/observation.h"

namespace bitlaw {

struct Repeats {
  int duplicates = 0;  // rows equal to an earlier one, losses included
  int replicates = 0;  // rows that differ from another only in what was measured
};

Repeats count_repeats(const std::vector<Observation>& rows);

// Of each row, a number that is the same for rows that differ only in what was measured.
std::vector<int> number_settings(const std::vector<Observation>& rows);

// Of each row, whether it equals an earlier one.
std::vector<bool> is_repeated(const std::vector<Observation>& rows);

}  // namespace bitlaw
