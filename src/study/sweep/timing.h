// How long a plan takes at known speeds, and how much of its tokens fits into a given time.
#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "sweep/plan.h"

namespace bitlaw {

// Equal for runs that train equally fast: same shape, and the same parts rounded to the same kind of
// format, to however many bits.
std::string speed_key(const PlannedRun& run);

// Tokens per second in training, by speed_key().
using Rates = std::map<std::string, double>;

// The jobs of a plan with their costs in seconds of one process; of the first cells only, if given.
// Needs the rate of every run.
std::vector<Job> jobs_in_seconds(const SweepPlan& plan, const Rates& rates,
                                 size_t cells = std::numeric_limits<size_t>::max());

// Until all runs are trained and quantized, `parallel` processes at a time. Needs the rate of every
// run.
double planned_seconds(const SweepPlan& plan, const Rates& rates, int parallel);
double planned_seconds_at(SweepPlan plan, double scale, const Rates& rates, int parallel);

// The largest share of the study's tokens, in thousandths, that takes at most so many seconds; the
// smallest if none does.
double scale_that_fits(const SweepPlan& plan, const Rates& rates, int parallel, double seconds);

}  // namespace bitlaw
