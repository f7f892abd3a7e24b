// The rounding of formats/weight_scheme.h for many weights at once: code_of() bit for bit; in
// loops that compilers vectorize.
#pragma once

#include <cstdint>

#include "formats/block_grid.h"

namespace bitlaw {

// Codes of weights [count] that share a scale and zero point.
void codes_of_block(const WeightScheme& scheme, const BlockGrid& grid, const float* weights,
                    int64_t count, float* codes);

// Codes of targets [count], each with its own scale, of which the inverse is needed, and zero point:
// a column of a matrix.
void codes_of_column(const WeightScheme& scheme, const float* inverses, const float* zeros,
                     const float* targets, int64_t count, float* codes);

}  // namespace bitlaw
