#include "linalg/matrix.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "base/error.h"

namespace bitlaw::linalg {
namespace {

constexpr size_t kMapFrom = size_t{4} << 20;

size_t bytes_of(int64_t rows, int64_t columns) {
  return static_cast<size_t>(rows) * static_cast<size_t>(columns) * sizeof(double);
}

// Zeros. Large matrices come from the kernel as huge pages: a Cholesky factorisation walks down
// columns, a page to a row, and the pages are zeroed by the threads that touch them first.
double* allocate(size_t bytes) {
  if (bytes == 0) return nullptr;
  if (bytes < kMapFrom) {
    void* memory = std::calloc(1, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<double*>(memory);
  }
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  ::madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: may fail
  return static_cast<double*>(memory);
}

}  // namespace

Matrix::Matrix(int64_t rows, int64_t columns) : rows_(rows), columns_(columns) {
  BITLAW_CHECK(rows >= 0 && columns >= 0);
  values_ = allocate(bytes_of(rows, columns));
}

Matrix::Matrix(const Matrix& other) : Matrix(other.rows_, other.columns_) {
  std::copy_n(other.values_, rows_ * columns_, values_);
}

Matrix::~Matrix() {
  const size_t bytes = bytes_of(rows_, columns_);
  if (bytes < kMapFrom) {
    std::free(values_);
  } else {
    ::munmap(values_, bytes);
  }
}

bool Matrix::operator==(const Matrix& other) const {
  return rows_ == other.rows_ && columns_ == other.columns_ &&
         std::equal(values_, values_ + rows_ * columns_, other.values_);
}

void Matrix::swap(Matrix& other) noexcept {
  std::swap(rows_, other.rows_);
  std::swap(columns_, other.columns_);
  std::swap(values_, other.values_);
}

}  // namespace bitlaw::linalg
