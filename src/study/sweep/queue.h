// The order in which jobs start when a few processes share them: those that cost most come first, as
// soon as what they wait for is done.
#pragma once

#include <cstddef>
#include <vector>

#include "sweep/job.h"

namespace bitlaw {

// Indices of jobs; equal costs stay in their order.
std::vector<size_t> longest_first(const std::vector<Job>& jobs);

// How long `parallel` processes take if every job takes its cost and none is done yet, in the unit of
// the costs.
double planned_duration(const std::vector<Job>& jobs, int parallel);

}  // namespace bitlaw
