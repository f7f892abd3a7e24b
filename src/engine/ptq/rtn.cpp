#include "ptq/rtn.h"

#include <algorithm>

#include "ptq/rounding.h"
#include "ptq/tiles.h"

namespace bitlaw {

void round_rows(const float* weights, int64_t begin, int64_t end, QuantizedMatrix& out) {
  const WeightScheme& scheme = out.scheme;
  const int64_t columns = out.columns, width = scheme.group == 0 ? columns : scheme.group;
  for (int64_t r = begin; r < end; ++r) {
    const float* row = weights + (r - begin) * columns;
    float* codes = out.codes.data() + r * columns;
    for (int64_t first = 0; first < columns; first += width) {
      const int64_t last = std::min(columns, first + width);
      const BlockGrid grid = block_grid(scheme, out.tensor_scale, row + first, last - first);
      out.set_grid(r, first / width, grid);
      codes_of_block(scheme, grid, row + first, last - first, codes + first);
    }
  }
}

QuantizedMatrix quantize_rtn(const WeightScheme& scheme, const float* weights, int64_t rows,
                             int64_t columns, ThreadPool& pool) {
  QuantizedMatrix out(scheme, rows, columns);
  out.set_tensor_scale(weights);
  for_row_tiles(rows, pool, [&](int64_t begin, int64_t end, int) {
    round_rows(weights + begin * columns, begin, end, out);
  });
  return out;
}

MatrixResult round_by_rtn(const MatrixTask& task) {
  return {.quantized =
              quantize_rtn(task.cell.scheme, task.weights, task.rows, task.columns, task.pool)};
}

}  // namespace bitlaw
