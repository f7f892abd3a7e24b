#include "linalg/cholesky.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/error.h"

namespace bitlaw::linalg {
namespace {

constexpr int64_t kPanelRows = 128;                         // of U that are made at once
constexpr int64_t kSmallestBlock = 16;                      // solved row by row
constexpr int64_t kFewestColumns = 48, kMostColumns = 480;  // of U that are one task

// Columns of one task, so that each thread has a few of them.
int64_t task_columns(int64_t columns, const ThreadPool& pool) {
  const int64_t share = columns / (4 * pool.threads());
  return std::clamp(share / kFewestColumns * kFewestColumns, kFewestColumns, kMostColumns);
}

// factor(begin, end) for ranges that cover [begin, end).
template <class Task>
void for_ranges(int64_t begin, int64_t end, ThreadPool& pool, const Task& task) {
  if (begin >= end) return;
  const int64_t width = task_columns(end - begin, pool);
  pool.parallel_for((end - begin + width - 1) / width, [&](int64_t index, int) {
    const int64_t first = begin + index * width;
    task(first, std::min(end, first + width));
  });
}

// U of a block on the diagonal, on the calling thread.
bool factor_block(int64_t n, double* a, int64_t a_row, const Kernel& kernel) {
  if (n > kSmallestBlock) {
    const int64_t half = (n / 2 + kSmallestBlock - 1) / kSmallestBlock * kSmallestBlock;
    double *right = a + half, *below = a + half * a_row + half;
    if (!factor_block(half, a, a_row, kernel)) return false;
    solve_transposed(half, a, a_row, n - half, right, a_row, kernel);
    add_product({.rows = n - half,
                 .columns = n - half,
                 .depth = half,
                 .sign = -1,
                 .a = right,
                 .a_row = 1,
                 .a_column = a_row,
                 .b = right,
                 .b_row = a_row,
                 .c = below,
                 .c_row = a_row},
                kernel);
    return factor_block(n - half, below, a_row, kernel);
  }
  for (int64_t k = 0; k < n; ++k) {
    double* row = a + k * a_row;
    if (!(row[k] > 0) || !std::isfinite(row[k])) return false;
    row[k] = std::sqrt(row[k]);
    for (int64_t j = k + 1; j < n; ++j) row[j] /= row[k];
    for (int64_t i = k + 1; i < n; ++i) kernel.axpy(n - i, -row[i], row + i, a + i * a_row + i);
  }
  return true;
}

}  // namespace

bool factor_cholesky(Matrix& A, ThreadPool& pool, const Kernel& kernel) {
  const int64_t n = A.columns();
  BITLAW_CHECK(A.rows() == n);
  for (int64_t top = 0; top < n; top += kPanelRows) {
    const int64_t rows = std::min(kPanelRows, n - top);
    // Rows [top, top + rows) lose what the rows of U above them account for.
    for_ranges(top, n, pool, [&](int64_t begin, int64_t end) {
      add_product({.rows = rows,
                   .columns = end - begin,
                   .depth = top,
                   .sign = -1,
                   .a = A.row(0) + top,
                   .a_row = 1,
                   .a_column = n,
                   .b = A.row(0) + begin,
                   .b_row = n,
                   .c = A.row(top) + begin,
                   .c_row = n},
                  kernel);
    });
    double* diagonal = A.row(top) + top;
    if (!factor_block(rows, diagonal, n, kernel)) return false;
    for_ranges(top + rows, n, pool, [&](int64_t begin, int64_t end) {
      solve_transposed(rows, diagonal, n, end - begin, A.row(top) + begin, n, kernel);
    });
  }
  return true;
}

void solve_transposed(int64_t n, const double* u, int64_t u_row, int64_t columns, double* x,
                      int64_t x_row, const Kernel& kernel) {
  if (n <= kSmallestBlock) {
    for (int64_t i = 0; i < n; ++i) {
      double* row = x + i * x_row;
      for (int64_t k = 0; k < i; ++k) kernel.axpy(columns, -u[k * u_row + i], x + k * x_row, row);
      const double pivot = u[i * u_row + i];
      for (int64_t j = 0; j < columns; ++j) row[j] /= pivot;
    }
    return;
  }
  const int64_t half = (n / 2 + kSmallestBlock - 1) / kSmallestBlock * kSmallestBlock;
  solve_transposed(half, u, u_row, columns, x, x_row, kernel);
  add_product({.rows = n - half,
               .columns = columns,
               .depth = half,
               .sign = -1,
               .a = u + half,
               .a_row = 1,
               .a_column = u_row,
               .b = x,
               .b_row = x_row,
               .c = x + half * x_row,
               .c_row = x_row},
              kernel);
  solve_transposed(n - half, u + half * u_row + half, u_row, columns, x + half * x_row, x_row,
                   kernel);
}

}  // namespace bitlaw::linalg
