// Products on every engine that this machine has: exact on small integers in every layout.
#include "ops/cpu/products.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ops/test_support.h"

namespace bitlaw::cpu {
namespace {

Tensor integers(DType dtype, Shape shape, uint64_t stream) {
  const Tensor x = Tensor::empty(dtype, shape);
  for (int64_t i = 0; i < x.elements(); ++i) {
    x.set(i, static_cast<double>(random_below(3, stream, static_cast<uint64_t>(i), 15)) - 7);
  }
  return x;
}

// Row-major, also from a transposed matrix.
std::vector<double> entries(const Tensor& x, bool transposed) {
  std::vector<double> out = testing_ops::numbers(x);
  if (!transposed) return out;
  const std::vector<double> as_stored = out;
  const int64_t rows = x.extent(1), columns = x.extent(0);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) out[r * columns + c] = as_stored[c * rows + r];
  }
  return out;
}

struct Case {
  int64_t M, N, K;
};
constexpr Case kCases[] = {{1, 1, 1},    {1, 16, 32},   {16, 16, 32},   {3, 17, 33},
                           {17, 33, 65}, {64, 64, 64},  {31, 64, 96},   {64, 130, 2},
                           {65, 48, 40}, {128, 96, 64}, {100, 256, 130}};

// Sums of products of integers up to 7 are exact in F32 for all K here, in any order.
void expect_exact(Context& context, const Case& shape, DType dtype, bool a_transposed,
                  bool b_transposed, bool packed, bool accumulate, bool scaled) {
  const auto [M, N, K] = shape;
  const Tensor a = integers(dtype, a_transposed ? Shape{K, M} : Shape{M, K}, 1);
  const Tensor b = integers(dtype, b_transposed ? Shape{N, K} : Shape{K, N}, 2);
  const Tensor row_scales = cases::normal({M}, 3), column_scales = cases::normal({N}, 4);
  const int64_t ldc = N + 3;
  const Tensor c = integers(DType::kF32, {M, ldc}, 5), before = testing_ops::copy(c);
  Workspace::Scope scope(context.workspace);
  Right right;
  if (packed) {
    pack(context, K, N, source(b, b_transposed), right);
  } else {
    right = arrange(context, K, N, source(b, b_transposed));
  }
  const Scales scales = scaled ? Scales{row_scales.f32(), column_scales.f32()} : Scales{};
  multiply(context, M, N, K, source(a, a_transposed), right, scales, accumulate, c.f32(), ldc);
  const std::vector<double> left = entries(a, a_transposed), columns = entries(b, !b_transposed);
  for (int64_t m = 0; m < M; ++m) {
    for (int64_t n = 0; n < ldc; ++n) {
      const int64_t at = m * ldc + n;
      float expected = before.f32()[at];
      if (n < N) {
        double sum = 0;
        for (int64_t k = 0; k < K; ++k) sum += left[m * K + k] * columns[n * K + k];
        float product = static_cast<float>(sum);
        if (scaled) product *= row_scales.f32()[m] * column_scales.f32()[n];
        expected = accumulate ? expected + product : product;
      }
      ASSERT_EQ(c.f32()[at], expected)
          << M << "x" << N << "x" << K << " at " << m << ", " << n << ", A transposed "
          << a_transposed << ", B transposed " << b_transposed << ", packed " << packed
          << ", accumulate " << accumulate << ", scaled " << scaled;
    }
  }
}

// Every layout of every case; whether it adds and scales goes round, so that all combinations
// occur.
TEST(Products, AreExactOnSmallIntegers) {
  for (Isa isa : testing_ops::machine_isas()) {
    Context context = testing_ops::cpu(isa);
    int turn = 0;
    for (const Case& shape : kCases) {
      for (DType dtype : {DType::kBF16, DType::kF32}) {
        for (int layout = 0; layout < 8; ++layout, ++turn) {
          const int ending = (turn + turn / 8) % 4;
          expect_exact(context, shape, dtype, layout & 1, layout & 2, layout & 4, ending & 1,
                       ending & 2);
        }
      }
    }
  }
}

// Attention multiplies the first keys only: a part of K or of N of one arranged matrix.
TEST(Products, TakeAPartOfTheRightSide) {
  for (Isa isa : testing_ops::machine_isas()) {
    Context context = testing_ops::cpu(isa);
    for (const auto& [M, N, K] : kCases) {
      for (bool transposed : {false, true}) {
        const Tensor a = integers(DType::kBF16, {M, K}, 1);
        const Tensor b = integers(DType::kBF16, transposed ? Shape{N, K} : Shape{K, N}, 2);
        Workspace::Scope scope(context.workspace);
        const Right right = arrange(context, K, N, source(b, transposed));
        const int64_t part_n = (N + 1) / 2, part_k = (K + 1) / 2;
        const std::vector<double> left = entries(a, false), columns = entries(b, !transposed);
        const Tensor c = Tensor::empty(DType::kF32, {M, part_n});
        multiply(context, M, part_n, part_k, source(a), right, {}, false, c.f32(), part_n);
        for (int64_t m = 0; m < M; ++m) {
          for (int64_t n = 0; n < part_n; ++n) {
            double sum = 0;
            for (int64_t k = 0; k < part_k; ++k) sum += left[m * K + k] * columns[n * K + k];
            ASSERT_EQ(c.at(m * part_n + n), sum)
                << M << "x" << N << "x" << K << ", transposed " << transposed;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace bitlaw::cpu
