#include "ptq/rotation.h"

#include <cmath>
#include <vector>

#include "base/error.h"
#include "linalg/product.h"

namespace bitlaw {
namespace {

// x R of one row.
void transform(double* x, int64_t columns, int64_t width) {
  for (int64_t half = 1; half < width; half *= 2) {
    for (int64_t begin = 0; begin < columns; begin += 2 * half) {
      for (int64_t i = begin; i < begin + half; ++i) {
        const double a = x[i], b = x[i + half];
        x[i] = a + b;
        x[i + half] = a - b;
      }
    }
  }
  const double norm = 1 / std::sqrt(static_cast<double>(width));
  for (int64_t i = 0; i < columns; ++i) x[i] *= norm;
}

}  // namespace

int64_t rotation_width(int64_t columns) {
  BITLAW_CHECK(columns > 0);
  return columns & -columns;
}

void rotate_rows(const float* in, int64_t rows, int64_t columns, int64_t width, float* out) {
  BITLAW_CHECK(width > 0 && columns % width == 0);
  std::vector<double> row(static_cast<size_t>(columns));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) row[static_cast<size_t>(c)] = in[r * columns + c];
    transform(row.data(), columns, width);
    for (int64_t c = 0; c < columns; ++c)
      out[r * columns + c] = static_cast<float>(row[static_cast<size_t>(c)]);
  }
}

linalg::Matrix rotate_hessian(const linalg::Matrix& hessian, int64_t width, ThreadPool& pool) {
  const int64_t n = hessian.columns();
  BITLAW_CHECK(hessian.rows() == n && width > 0 && n % width == 0);
  // H R, then its transpose R H^T = R H times R: rows both times. (H and R are symmetric.)
  linalg::Matrix half(n, n), out(n, n);
  constexpr int64_t kRows = 16;
  const auto rows_in_parallel = [&](const auto& task) {
    pool.parallel_for((n + kRows - 1) / kRows, [&](int64_t block, int) {
      for (int64_t i = block * kRows; i < std::min(n, (block + 1) * kRows); ++i) task(i);
    });
  };
  rows_in_parallel([&](int64_t i) {
    std::copy_n(hessian.row(i), n, half.row(i));
    transform(half.row(i), n, width);
  });
  rows_in_parallel([&](int64_t i) {
    for (int64_t j = 0; j < n; ++j) out(i, j) = half(j, i);
    transform(out.row(i), n, width);
  });
  linalg::mirror(out);  // symmetric up to rounding before, exactly now
  return out;
}

}  // namespace bitlaw
