// How fast a machine trains a configuration, measured by training it for a moment.
#pragma once

#include "train/config.h"

namespace bitlaw {

// Tokens per second of whole steps, at least two, on random tokens; needs no data set and writes
// nothing.
double measure_speed(const ResolvedConfig& resolved, int threads, double seconds);

}  // namespace bitlaw
