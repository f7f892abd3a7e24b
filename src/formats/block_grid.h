// The scale and the zero point of one block, by the rules of formats/weight_scheme.h, and what is
// rounded with them.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/weight_scheme.h"

namespace bitlaw {

struct BlockGrid {
  float scale = 0;    // 0 for a block that counts as zeros: all its values are 0
  float inverse = 0;  // 1 / scale, one float division; 0 if scale is 0
  float zero = 0;     // a code; 0 unless asymmetric
};

// Scale and zero point of one block of finite weights w [count]; `tensor_scale` is that of the
// matrix. A block with a scale below 2^-126 counts as zeros (E8M0: below 2^-127, its smallest
// code).
BlockGrid block_grid(const WeightScheme& scheme, float tensor_scale, const float* w, int64_t count);

// The same by trying every range that a search has: the definition.
BlockGrid block_grid_reference(const WeightScheme& scheme, float tensor_scale, const float* w,
                               int64_t count);

// block_grid in training, where a scale is a normal float or 0: below 2^-126 a block counts as
// zeros.
BlockGrid training_grid(const WeightScheme& scheme, float tensor_scale, const float* w,
                        int64_t count);

// The nearest code, saturating; ties go to the even code (asymmetric: to the even code - zero).
float code_of(const WeightScheme& scheme, const BlockGrid& grid, float w);

inline float value_of(const BlockGrid& grid, float code) {
  return (code - grid.zero) * grid.scale;
}

// Round-to-nearest of a whole matrix [rows, columns], in plain loops: the definition. Every vector
// is [rows, columns], with the scale and zero point of each entry.
struct WeightReference {
  float tensor_scale = 1;
  std::vector<float> codes, scales, zeros, values;
};
WeightReference quantize_reference(const WeightScheme& scheme, const float* w, int64_t rows,
                                   int64_t columns);

}  // namespace bitlaw
