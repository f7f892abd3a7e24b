#include "ptq/hessian_error.h"

#include <algorithm>

#include "base/error.h"
#include "linalg/product.h"
#include "ptq/tiles.h"

namespace bitlaw {
namespace {

// Narrow ones skip more of what is below the diagonal, wide ones make faster products.
constexpr int64_t kPanelColumns = 96;

}  // namespace

void row_errors(const float* effective, const float* weights, int64_t rows,
                const linalg::Matrix& hessian, std::vector<double>& memory, double* errors) {
  const int64_t n = hessian.columns();
  memory.resize(static_cast<size_t>(
      std::max<int64_t>(static_cast<int64_t>(memory.size()), (n + kPanelColumns) * rows)));
  // E and what it becomes are held with the rows side by side, [columns][rows].
  double *e = memory.data(), *weighted = e + n * rows;
  for (int64_t c0 = 0; c0 < n; c0 += 16) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = c0; c < std::min(n, c0 + 16); ++c)
        e[c * rows + r] = static_cast<double>(effective[r * n + c]) - weights[r * n + c];
    }
  }
  std::fill_n(errors, rows, 0.0);
  // H is symmetric: entries above a panel's block on the diagonal count twice.
  for (int64_t begin = 0; begin < n; begin += kPanelColumns) {
    const int64_t width = std::min(kPanelColumns, n - begin);
    const auto add = [&](int64_t first, int64_t depth) {
      linalg::add_product({.rows = width,
                           .columns = rows,
                           .depth = depth,
                           .sign = 1,
                           .a = hessian.row(first) + begin,
                           .a_row = 1,
                           .a_column = n,
                           .b = e + first * rows,
                           .b_row = rows,
                           .c = weighted,
                           .c_row = rows});
    };
    std::fill_n(weighted, width * rows, 0.0);
    add(0, begin);
    for (int64_t i = 0; i < width * rows; ++i) weighted[i] *= 2;
    add(begin, width);
    for (int64_t c = 0; c < width; ++c) {
      const double *x = weighted + c * rows, *y = e + (begin + c) * rows;
      for (int64_t r = 0; r < rows; ++r) errors[r] += x[r] * y[r];
    }
  }
  for (int64_t r = 0; r < rows; ++r) errors[r] = errors[r] < 0 ? 0 : errors[r];  // NaN stays
}

double hessian_error(const QuantizedMatrix& quantized, const float* weights,
                     const linalg::Matrix& hessian, ThreadPool& pool) {
  const int64_t rows = quantized.rows, columns = quantized.columns;
  BITLAW_CHECK(hessian.rows() == columns && hessian.columns() == columns);
  std::vector<double> errors(static_cast<size_t>(rows));
  std::vector<std::vector<float>> effective(static_cast<size_t>(pool.threads()));
  std::vector<std::vector<double>> memory(effective.size());
  for_row_tiles(rows, pool, [&](int64_t begin, int64_t end, int worker) {
    std::vector<float>& values = effective[static_cast<size_t>(worker)];
    values.resize(static_cast<size_t>((end - begin) * columns));
    quantized.effective_rows(begin, end, values.data());
    row_errors(values.data(), weights + begin * columns, end - begin, hessian,
               memory[static_cast<size_t>(worker)], errors.data() + begin);
  });
  double sum = 0;
  for (const double error : errors) sum += error;
  return sum;
}

}  // namespace bitlaw
