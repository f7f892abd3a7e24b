// A dense row-major matrix of doubles.
#pragma once

#include <cstdint>

namespace bitlaw::linalg {

class Matrix {
 public:
  Matrix() = default;
  Matrix(int64_t rows, int64_t columns);  // zeros
  Matrix(const Matrix& other);
  Matrix(Matrix&& other) noexcept { swap(other); }
  Matrix& operator=(Matrix other) noexcept {
    swap(other);
    return *this;
  }
  ~Matrix();

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  double* row(int64_t i) { return values_ + i * columns_; }
  const double* row(int64_t i) const { return values_ + i * columns_; }
  double& operator()(int64_t i, int64_t j) { return values_[i * columns_ + j]; }
  double operator()(int64_t i, int64_t j) const { return values_[i * columns_ + j]; }
  bool operator==(const Matrix& other) const;  // as numbers: 0 equals -0, NaN never equals

 private:
  void swap(Matrix& other) noexcept;

  int64_t rows_ = 0, columns_ = 0;
  double* values_ = nullptr;
};

}  // namespace bitlaw::linalg
