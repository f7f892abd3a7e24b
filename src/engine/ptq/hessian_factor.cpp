#include "ptq/hessian_factor.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <numeric>

#include "base/error.h"
#include "linalg/cholesky.h"

namespace bitlaw {
namespace {

constexpr double kLargestDamping = 1000;
constexpr int64_t kBlock = 64;  // rows, or rows and columns, that one task moves

int64_t blocks_of(int64_t n) {
  return (n + kBlock - 1) / kBlock;
}

// H with its columns in reverse order, so that the Cholesky factor U of it (A = U^T U) gives H = R
// R^T with R_ik = U(n-1-k, n-1-i). Upper triangle only.
void reverse(const linalg::Matrix& hessian, const std::vector<int64_t>& order, double added,
             ThreadPool& pool, linalg::Matrix& out) {
  const int64_t n = hessian.columns();
  std::vector<int64_t> columns(static_cast<size_t>(n));  // in reverse order
  std::vector<double> alive(static_cast<size_t>(n));     // 0 for a dead one, else 1
  for (int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<size_t>(i);
    columns[at] = order.empty() ? n - 1 - i : order[static_cast<size_t>(n - 1 - i)];
    alive[at] = hessian(columns[at], columns[at]) == 0 ? 0 : 1;
  }
  pool.parallel_for(blocks_of(n), [&](int64_t block, int) {
    for (int64_t i = block * kBlock; i < std::min(n, (block + 1) * kBlock); ++i) {
      const int64_t k = columns[static_cast<size_t>(i)];
      const double* from = hessian.row(k);
      double* to = out.row(i);
      const double row_alive = alive[static_cast<size_t>(i)];
      for (int64_t j = i + 1; j < n; ++j) {
        const auto at = static_cast<size_t>(j);
        to[j] = from[columns[at]] * (row_alive * alive[at]);
      }
      to[i] = row_alive == 0 ? 1 : from[k] + added;
    }
  });
}

bool all_finite(const linalg::Matrix& hessian, ThreadPool& pool) {
  std::atomic<bool> finite = true;
  const int64_t n = hessian.columns();
  pool.parallel_for(blocks_of(n), [&](int64_t block, int) {
    double sum = 0;  // 0 times a number is 0, times anything else NaN
    for (int64_t i = block * kBlock; i < std::min(n, (block + 1) * kBlock); ++i) {
      const double* row = hessian.row(i);
      for (int64_t j = 0; j < n; ++j) sum += 0 * row[j];
    }
    if (sum != 0) finite = false;
  });
  return finite;
}

// U to S, S_ik = U(n-1-k, n-1-i) / U(n-1-k, n-1-k): every row of U over its pivot, then a
// reflection in the other diagonal.
void to_feedback(linalg::Matrix& u, ThreadPool& pool) {
  const int64_t n = u.columns(), blocks = blocks_of(n);
  pool.parallel_for(blocks, [&](int64_t block, int) {
    for (int64_t i = block * kBlock; i < std::min(n, (block + 1) * kBlock); ++i) {
      double* row = u.row(i);
      const double pivot = row[i];
      std::fill_n(row, i, 0.0);
      for (int64_t j = i; j < n; ++j) row[j] /= pivot;
    }
  });
  // Block (p, q) changes places with the one it is reflected to; each pair once.
  pool.parallel_for(blocks, [&](int64_t block, int) {
    const int64_t i_end = std::min(n, (block + 1) * kBlock);
    for (int64_t j0 = block * kBlock; j0 < n; j0 += kBlock) {
      for (int64_t i = block * kBlock; i < i_end; ++i) {
        for (int64_t j = std::max(i, j0); j < std::min(n - 1 - i, j0 + kBlock); ++j)
          std::swap(u(i, j), u(n - 1 - j, n - 1 - i));
      }
    }
  });
}

}  // namespace

HessianFactor factor_hessian(const linalg::Matrix& hessian, double first_damping, ThreadPool& pool,
                             std::vector<int64_t> order) {
  const int64_t n = hessian.columns();
  BITLAW_CHECK(hessian.rows() == n && n > 0 && first_damping > 0);
  BITLAW_CHECK(order.empty() || static_cast<int64_t>(order.size()) == n);
  HessianFactor out;
  out.order = std::move(order);
  double diagonal_sum = 0;
  for (int64_t k = 0; k < n; ++k) {
    out.dead_columns += hessian(k, k) == 0;
    diagonal_sum += hessian(k, k);
  }
  if (!all_finite(hessian, pool)) {
    throw Error(
        "the calibration inputs of a layer are not finite; the checkpoint is broken or its run "
        "diverged");
  }
  const double mean =
      out.dead_columns == n ? 0 : diagonal_sum / static_cast<double>(n - out.dead_columns);
  out.feedback = linalg::Matrix(n, n);
  for (out.damping = first_damping; out.damping <= kLargestDamping; out.damping *= 10) {
    reverse(hessian, out.order, out.damping * mean, pool, out.feedback);
    if (linalg::factor_cholesky(out.feedback, pool)) {
      to_feedback(out.feedback, pool);
      return out;
    }
    out.failed_dampings.push_back(out.damping);
  }
  throw Error(fmt::format(
      "a calibration Hessian is not positive definite even with {} times its mean diagonal added; "
      "calibrate on more text",
      kLargestDamping));
}

std::vector<int64_t> activation_order(const linalg::Matrix& hessian) {
  std::vector<int64_t> order(static_cast<size_t>(hessian.columns()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return hessian(a, a) > hessian(b, b); });
  return order;
}

}  // namespace bitlaw
