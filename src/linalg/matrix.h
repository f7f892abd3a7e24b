// A dense matrix of doubles, row by row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitlaw::linalg {

class Matrix {
 public:
  Matrix() = default;
  Matrix(int64_t rows, int64_t columns)  // zeros
      : rows_(rows), columns_(columns), values_(static_cast<size_t>(rows * columns)) {}

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  double* row(int64_t i) { return values_.data() + i * columns_; }
  const double* row(int64_t i) const { return values_.data() + i * columns_; }
  double& operator()(int64_t i, int64_t j) {
    return values_[static_cast<size_t>(i * columns_ + j)];
  }
  double operator()(int64_t i, int64_t j) const {
    return values_[static_cast<size_t>(i * columns_ + j)];
  }
  bool operator==(const Matrix&) const = default;

 private:
  int64_t rows_ = 0, columns_ = 0;
  std::vector<double> values_;
};

}  // namespace bitlaw::linalg
