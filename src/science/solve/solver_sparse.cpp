#include "solve/solver_sparse.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <tuple>

namespace bitlaw {

namespace {

// Calls found(i) for every i where column[i] is not zero; looks at eight at a time, as most are.
template <class Found>
void for_each_nonzero(const double* column, long rows, const Found& found) {
  long i = 0;
  for (; i + 8 <= rows; i += 8) {
    uint64_t bits[8], any = 0;
    std::memcpy(bits, column + i, sizeof bits);
    for (const uint64_t each : bits) any |= each;
    if (any << 1 == 0) continue;  // all zero, whatever their signs
    for (long k = i; k < i + 8; ++k) {
      if (column[k] != 0) found(k);
    }
  }
  for (; i < rows; ++i) {
    if (column[i] != 0) found(i);
  }
}

}  // namespace

// The values alone, if the nonzero entries are where they were: the same number of them, at the same
// places.
bool SparseRows::refill(long rows, const double* jacobian, long stride, int columns) {
  if (columns != columns_ || first_.size() != static_cast<size_t>(rows) + 1 ||
      value_.size() != static_cast<size_t>(first_.back()))
    return false;
  long count = 0;
  for (int j = 0; j < columns; ++j) {
    const double* const column = jacobian + j * stride;
    long of_column = 0;
    for (long i = 0; i < rows; ++i) of_column += column[i] != 0;
    count += of_column;
  }
  if (count != first_.back()) return false;
  bool all = true;
  for (long i = 0; i < rows; ++i) {
    const long end = first_[static_cast<size_t>(i) + 1];
    for (long a = first_[static_cast<size_t>(i)]; a < end; ++a) {
      const size_t place = static_cast<size_t>(a);
      value_[place] = jacobian[column_[place] * stride + i];
      all = all && value_[place] != 0;
    }
  }
  return all;
}

bool SparseRows::build(long rows, const double* jacobian, long stride, int columns) {
  if (refill(rows, jacobian, stride, columns)) return true;
  value_.clear();
  columns_ = columns;
  first_.assign(static_cast<size_t>(rows) + 1, 0);
  for (int j = 0; j < columns; ++j) {
    for_each_nonzero(jacobian + j * stride, rows,
                     [&](long i) { ++first_[static_cast<size_t>(i) + 1]; });
  }
  for (size_t i = 0; i + 1 < first_.size(); ++i) first_[i + 1] += first_[i];
  const long kept = first_.back();
  if (3 * kept > rows * columns) return false;
  column_.resize(static_cast<size_t>(kept));
  value_.resize(static_cast<size_t>(kept));
  next_.assign(first_.begin(), first_.end() - 1);
  for (int j = 0; j < columns; ++j) {
    const double* column = jacobian + j * stride;
    for_each_nonzero(column, rows, [&](long i) {
      const size_t place = static_cast<size_t>(next_[static_cast<size_t>(i)]++);
      column_[place] = j;
      value_[place] = column[i];
    });
  }
  return true;
}

std::vector<int> SparseRows::order() const {
  const size_t count = static_cast<size_t>(columns_);
  std::vector<long> rows_of(count, 0), first_row(count, 0);
  for (size_t i = first_.size() - 1; i-- > 0;) {
    for (long a = first_[i]; a < first_[i + 1]; ++a) {
      const size_t j = static_cast<size_t>(column_[static_cast<size_t>(a)]);
      ++rows_of[j];
      first_row[j] = static_cast<long>(i);
    }
  }
  std::vector<int> out(count);
  std::iota(out.begin(), out.end(), 0);
  std::stable_sort(out.begin(), out.end(), [&](int a, int b) {
    const size_t i = static_cast<size_t>(a), j = static_cast<size_t>(b);
    return std::tie(rows_of[i], first_row[i]) < std::tie(rows_of[j], first_row[j]);
  });
  return out;
}

double SparseRows::normal_equations(const RowTerms& terms, const double* r, double outside,
                                    double* gradient, double* hessian) const {
  for (int j = 0; j < columns_; ++j) gradient[j] = 0;
  for (int j = 0; hessian && j < columns_ * columns_; ++j) hessian[j] = 0;
  double objective = 0;
  for (long i = 0; i < terms.rows; ++i) {
    const double w = terms.weights ? terms.weights[i] : 1;
    const double delta = terms.thresholds ? terms.thresholds[i] : terms.threshold;
    const double size = std::fabs(r[i]);
    const bool within = size <= delta;
    const double cut = within ? size : delta;
    objective += w * (cut * (size - 0.5 * cut));
    const double psi = w * std::copysign(cut, r[i]);
    const double curvature = within ? w : w * (outside * (delta / size));
    const long end = first_[static_cast<size_t>(i) + 1];
    for (long a = first_[static_cast<size_t>(i)]; a < end; ++a) {
      const size_t of_a = static_cast<size_t>(a);
      gradient[column_[of_a]] += psi * value_[of_a];
      if (!hessian) continue;
      // The lower triangle by rows: columns rise along a row of the table.
      double* row = hessian + static_cast<long>(column_[of_a]) * columns_;
      const double scaled = curvature * value_[of_a];
      for (long b = first_[static_cast<size_t>(i)]; b <= a; ++b) {
        row[column_[static_cast<size_t>(b)]] += scaled * value_[static_cast<size_t>(b)];
      }
    }
  }
  for (int j = 0; hessian && j < columns_; ++j) {
    for (int k = 0; k < j; ++k) hessian[k * columns_ + j] = hessian[j * columns_ + k];
  }
  return objective;
}

}  // namespace bitlaw
