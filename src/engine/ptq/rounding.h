// The rounding of formats/weight_scheme.h for many weights at once: code_of() bit for bit, of
// integers in loops that a compiler turns into vector instructions.
#pragma once

#include <cstdint>

#include "formats/weight_scheme.h"

namespace bitlaw {

// Weights [count] that share a grid.
void codes_of_block(const WeightScheme& scheme, const BlockGrid& grid, const float* weights,
                    int64_t count, float* codes);

// Targets [count], each on a grid of its own: a column of a matrix.
void codes_of_column(const WeightScheme& scheme, const float* scales, const float* inverses,
                     const float* zeros, const float* targets, int64_t count, float* codes);

}  // namespace bitlaw
