#include "linalg/product.h"

#include <gtest/gtest.h>

#include <cmath>

#include "linalg/isas_for_tests.h"

namespace bitlaw::linalg {
namespace {

// The definition: one chain per entry.
template <class T>
void one_chain_per_entry(const Product<T>& x) {
  for (int64_t i = 0; i < x.rows; ++i) {
    for (int64_t j = 0; j < x.columns; ++j) {
      double& c = x.c[i * x.c_row + j];
      for (int64_t p = 0; p < x.depth; ++p) {
        const double a = x.sign * static_cast<double>(x.a[i * x.a_row + p * x.a_column]);
        c = std::fma(a, static_cast<double>(x.b[p * x.b_row + j]), c);
      }
    }
  }
}

struct Case {
  int64_t rows, columns, depth;
  bool transposed;  // A is stored by columns
  double sign;
};
// Below, at and beyond a tile (8 x 24 at most), a packed block (192 x 480) and its depth (256).
const std::vector<Case> kCases{
    {1, 1, 1, false, 1},     {1, 1, 0, false, 1},     {8, 24, 5, true, -1},
    {7, 23, 3, false, -1},   {9, 25, 300, true, 1},   {4, 12, 256, false, 1},
    {193, 30, 257, true, 1}, {20, 481, 40, true, -1}, {200, 50, 10, false, 1}};

TEST(Product, IsOneChainPerEntryOnEveryInstructionSet) {
  for (const Case& k : kCases) {
    const Matrix a = random_matrix(k.rows, k.depth, 1), b = random_matrix(k.depth, k.columns, 2);
    const Matrix start = random_matrix(k.rows, k.columns + 3, 3);  // C is a part of its columns
    Product<double> product{k.rows, k.columns, k.depth,   k.sign,  a.row(0),     k.depth,
                            1,      b.row(0),  k.columns, nullptr, k.columns + 3};
    if (k.transposed) {
      product.a_row = 1;
      product.a_column = k.rows;
    }
    Matrix expected = start;
    product.c = expected.row(0) + 1;
    one_chain_per_entry(product);
    for (const Isa isa : isas()) {
      Matrix c = start;
      product.c = c.row(0) + 1;
      add_product(product, kernel(isa));
      EXPECT_EQ(c, expected) << name_of(isa) << " " << k.rows << "x" << k.columns << "x" << k.depth;
    }
  }
}

TEST(Product, OfFloatsIsThatOfTheSameNumbersAsDoubles) {
  const int64_t rows = 30, columns = 70, depth = 300;
  const std::vector<float> a = random_floats(rows * depth, 4),
                           b = random_floats(depth * columns, 5);
  const std::vector<double> wide_a(a.begin(), a.end()), wide_b(b.begin(), b.end());
  for (const Isa isa : isas()) {
    Matrix c(rows, columns), expected(rows, columns);
    add_product(Product<float>{rows, columns, depth, -1, a.data(), depth, 1, b.data(), columns,
                               c.row(0), columns},
                kernel(isa));
    add_product(Product<double>{rows, columns, depth, -1, wide_a.data(), depth, 1, wide_b.data(),
                                columns, expected.row(0), columns},
                kernel(isa));
    EXPECT_EQ(c, expected) << name_of(isa);
  }
}

TEST(Product, PartsOfTheDepthOneAfterTheOtherAreTheWhole) {
  const Matrix a = random_matrix(20, 700, 6), b = random_matrix(700, 60, 7);
  Matrix whole(20, 60), parts(20, 60);
  Product<double> product{20, 60, 700, 1, a.row(0), 700, 1, b.row(0), 60, whole.row(0), 60};
  add_product(product);
  product.c = parts.row(0);
  for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, 1}, {1, 333}, {333, 700}}) {
    product.depth = end - begin;
    product.a = a.row(0) + begin;
    product.b = b.row(begin);
    add_product(product);
  }
  EXPECT_EQ(parts, whole);
}

TEST(Kernel, AxpyIsOneFusedStepPerEntry) {
  for (const int64_t n : {0, 1, 7, 8, 9, 40, 41}) {
    const Matrix x = random_matrix(1, n + 1, 8), start = random_matrix(1, n + 1, 9);
    Matrix expected = start;
    for (int64_t i = 0; i < n; ++i) expected(0, i) = std::fma(0.3, x(0, i), start(0, i));
    for (const Isa isa : isas()) {
      Matrix y = start;
      kernel(isa).axpy(n, 0.3, x.row(0), y.row(0));
      EXPECT_EQ(y, expected) << name_of(isa) << " " << n;  // the entry behind the last included
    }
  }
}

TEST(Gram, SumsTheProductsInTheOrderOfTheRows) {
  ThreadPool one(1), three(3);
  for (const auto& [rows, n] : {std::pair<int64_t, int64_t>{1, 1}, {5, 30}, {70, 97}, {300, 230}}) {
    const std::vector<float> x = random_floats(rows * n, 10);
    Matrix expected(n, n);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        // Each product is exact, so that the sum needs no fused step.
        for (int64_t t = 0; t < rows; ++t) {
          const double a = x[static_cast<size_t>(t * n + i)], b = x[static_cast<size_t>(t * n + j)];
          expected(i, j) += a * b;
        }
      }
    }
    for (const Isa isa : isas()) {
      for (ThreadPool* pool : {&one, &three}) {
        Matrix whole(n, n), parts(n, n);
        add_gram(x.data(), rows, whole, *pool, kernel(isa));
        mirror(whole);
        EXPECT_EQ(whole, expected) << name_of(isa) << " " << rows << "x" << n;
        const int64_t first = rows / 3;
        add_gram(x.data(), first, parts, *pool, kernel(isa));
        add_gram(x.data() + first * n, rows - first, parts, *pool, kernel(isa));
        mirror(parts);
        EXPECT_EQ(parts, expected) << name_of(isa) << " " << rows << "x" << n;
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw::linalg
