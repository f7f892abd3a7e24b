#include "linalg/product.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "base/error.h"

namespace bitlaw::linalg {
namespace {

constexpr int64_t kGramRows = 96;  // of H that are summed at once

// Memory of this thread for packed operands.
double* scratch(int64_t doubles) {
  struct Buffer {
    std::unique_ptr<void, decltype(&std::free)> memory{nullptr, &std::free};
    int64_t doubles = 0;
  };
  thread_local Buffer buffer;
  if (buffer.doubles < doubles) {
    buffer.memory.reset(std::aligned_alloc(64, static_cast<size_t>(doubles) * sizeof(double)));
    if (!buffer.memory) throw std::bad_alloc();
    buffer.doubles = doubles;
  }
  return static_cast<double*>(buffer.memory.get());
}

}  // namespace

void add_product(const Product<double>& product, const Kernel& kernel) {
  kernel.product(product, scratch(kernel.scratch_doubles));
}

void add_product(const Product<float>& product, const Kernel& kernel) {
  kernel.product_of_floats(product, scratch(kernel.scratch_doubles));
}

void add_gram(const float* inputs, int64_t rows, int64_t begin, int64_t end, Matrix& H,
              const Kernel& kernel) {
  const int64_t n = H.columns();
  BITLAW_CHECK(H.rows() == n && 0 <= begin && begin <= end && end <= n);
  // What sticks out below the diagonal is summed in vain, so the steps are small.
  for (int64_t i = begin; i < end; i += kGramRows) {
    add_product({.rows = std::min(kGramRows, end - i),
                 .columns = n - i,
                 .depth = rows,
                 .sign = 1,
                 .a = inputs + i,
                 .a_row = 1,
                 .a_column = n,
                 .b = inputs + i,
                 .b_row = n,
                 .c = H.row(i) + i,
                 .c_row = n},
                kernel);
  }
}

void add_gram(const float* inputs, int64_t rows, Matrix& H, ThreadPool& pool,
              const Kernel& kernel) {
  const int64_t n = H.columns();
  pool.parallel_for((n + kGramRows - 1) / kGramRows, [&](int64_t block, int) {
    const int64_t begin = block * kGramRows;  // the longest rows first
    add_gram(inputs, rows, begin, std::min(n, begin + kGramRows), H, kernel);
  });
}

void mirror(Matrix& H) {
  constexpr int64_t kBlock = 32;  // both blocks stay in the first-level cache
  const int64_t n = H.columns();
  for (int64_t i0 = 0; i0 < n; i0 += kBlock) {
    for (int64_t j0 = i0; j0 < n; j0 += kBlock) {
      for (int64_t i = i0; i < std::min(n, i0 + kBlock); ++i) {
        for (int64_t j = std::max(i + 1, j0); j < std::min(n, j0 + kBlock); ++j) H(j, i) = H(i, j);
      }
    }
  }
}

}  // namespace bitlaw::linalg
