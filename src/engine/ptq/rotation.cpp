#include "ptq/rotation.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "linalg/product.h"

namespace bitlaw {

void rotate_rows(const float* in, int64_t rows, int64_t columns, int64_t width, float* out) {
  BITLAW_CHECK(width > 0 && columns % width == 0);
  std::vector<double> row(static_cast<size_t>(columns));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) row[static_cast<size_t>(c)] = in[r * columns + c];
    rotate_blocks(row.data(), columns, width);
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
    rotate_blocks(half.row(i), n, width);
  });
  rows_in_parallel([&](int64_t i) {
    for (int64_t j = 0; j < n; ++j) out(i, j) = half(j, i);
    rotate_blocks(out.row(i), n, width);
  });
  linalg::mirror(out);  // symmetric up to rounding before, exactly now
  return out;
}

}  // namespace bitlaw
