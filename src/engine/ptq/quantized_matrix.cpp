#include "ptq/quantized_matrix.h"

#include <algorithm>

#include "base/error.h"
#include "formats/block_error.h"
#include "ptq/rotation.h"
#include "ptq/tiles.h"

namespace bitlaw {
QuantizedMatrix::QuantizedMatrix(const WeightScheme& scheme, int64_t rows, int64_t columns)
    : scheme(scheme), rows(rows), columns(columns) {
  BITLAW_CHECK(scheme.format.scaled() && scheme.group >= 0 && rows > 0 && columns > 0);
  codes.resize(static_cast<size_t>(rows * columns));
  scales.resize(static_cast<size_t>(rows * groups_per_row()));
  if (scheme.asymmetric) zeros.resize(scales.size());
}

void QuantizedMatrix::set_tensor_scale(const float* weights) {
  if (scheme.scales != ScaleRule::kE4M3) return;  // 1, whatever the weights
  tensor_scale = bitlaw::tensor_scale(scheme, largest_magnitude(weights, rows * columns));
}

void QuantizedMatrix::set_grid(int64_t r, int64_t group, const BlockGrid& grid) {
  const auto block = static_cast<size_t>(r * groups_per_row() + group);
  scales[block] = grid.scale;
  if (!zeros.empty()) zeros[block] = grid.zero;
}

BlockGrid QuantizedMatrix::grid(int64_t r, int64_t group) const {
  const auto block = static_cast<size_t>(r * groups_per_row() + group);
  const float scale = scales[block];
  return {scale, scale == 0 ? 0 : 1 / scale, zeros.empty() ? 0 : zeros[block]};
}

float QuantizedMatrix::value(int64_t r, int64_t c) const {
  const auto block = static_cast<size_t>(block_of(r, c));
  return value_of({scales[block], 0, zeros.empty() ? 0 : zeros[block]},
                  codes[static_cast<size_t>(r * columns + c)]);
}

void QuantizedMatrix::effective_rows(int64_t begin, int64_t end, float* out) const {
  const int64_t width = scheme.group == 0 ? columns : scheme.group;
  for (int64_t r = begin; r < end; ++r) {
    float* row = out + (r - begin) * columns;
    const float* code = codes.data() + r * columns;
    for (int64_t first = 0; first < columns; first += width) {
      const BlockGrid block = grid(r, first / width);
      const int64_t last = std::min(columns, first + width);
      for (int64_t c = first; c < last; ++c) row[c] = value_of(block, code[c]);
    }
    if (!column_scale.empty()) {
      for (int64_t c = 0; c < columns; ++c) row[c] /= column_scale[static_cast<size_t>(c)];
    }
  }
  if (rotation > 1) rotate_rows(out, end - begin, columns, rotation, out);
}

std::vector<float> QuantizedMatrix::effective(ThreadPool& pool) const {
  std::vector<float> out(static_cast<size_t>(rows * columns));
  for_row_tiles(rows, pool, [&](int64_t begin, int64_t end, int) {
    effective_rows(begin, end, out.data() + begin * columns);
  });
  return out;
}

}  // namespace bitlaw
