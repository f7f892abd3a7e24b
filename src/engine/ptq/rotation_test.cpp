#include "ptq/rotation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "formats/rotation_for_tests.h"
#include "ptq/hessian_error.h"
#include "ptq/matrices_for_tests.h"
#include "ptq/quantize_matrix.h"
#include "ptq/rtn.h"

namespace bitlaw {
namespace {

// Every sum within (log2 b + 3) 2^-53 |w| |R|, then one rounding to FP32.
TEST(PtqRotation, OfRowsIsTheProductWithTheMatrix) {
  for (const int64_t columns : {1, 6, 48, 128}) {
    const int64_t rows = 3, width = rotation_width(columns);
    const std::vector<float> w = random_weights(rows, columns, 41);
    std::vector<float> out(w.size());
    rotate_rows(w.data(), rows, columns, width, out.data());
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t j = 0; j < columns; ++j) {
        double sum = 0, magnitude = 0;
        for (int64_t i = 0; i < columns; ++i) {
          const double term = w[static_cast<size_t>(r * columns + i)] * rotation_entry(i, j, width);
          sum += term;
          magnitude += std::fabs(term);
        }
        const double bound =
            2 * (std::log2(width) + static_cast<double>(width) + 3) * 0x1p-53 * magnitude +
            0x1p-24 * std::fabs(sum);
        EXPECT_NEAR(out[static_cast<size_t>(r * columns + j)], sum, bound);
      }
    }
  }
}

// Without rounding to codes W R R^T is W but for two roundings to FP32: the first, of each of the b
// entries of a block by 2^-24 of itself, comes back with the length it had (R keeps lengths); the
// second is 2^-24 of the result.
TEST(PtqRotation, IsUndone) {
  for (const int64_t columns : {7, 48, 256}) {
    const int64_t width = rotation_width(columns);
    const std::vector<float> w = random_weights(4, columns, 42);
    std::vector<float> there(w.size()), back(w.size());
    rotate_rows(w.data(), 4, columns, width, there.data());
    rotate_rows(there.data(), 4, columns, width, back.data());
    for (size_t begin = 0; begin < w.size(); begin += static_cast<size_t>(width)) {
      double length = 0;
      for (size_t i = begin; i < begin + static_cast<size_t>(width); ++i)
        length += double{w[i]} * w[i];
      for (size_t i = begin; i < begin + static_cast<size_t>(width); ++i) {
        const double bound = 0x1p-24 * (std::sqrt(length) + std::fabs(w[i])) * (1 + 0x1p-20);
        EXPECT_NEAR(back[i], w[i], bound);
      }
    }
  }
}

TEST(PtqRotation, OfAHessianIsThatOfRotatedInputs) {
  ThreadPool one(1), three(3);
  const int64_t n = 96, samples = 40, width = rotation_width(n);
  const std::vector<float> x = random_inputs(samples, n, 43);
  StatisticsCollector collector(n);
  collector.add(x.data(), samples, one);
  const linalg::Matrix H = std::move(collector).finish().hessian;
  const linalg::Matrix rotated = rotate_hessian(H, width, three);
  EXPECT_EQ(rotated, rotate_hessian(H, width, one));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0, magnitude = 0;
      for (int64_t k = i / width * width; k < i / width * width + width; ++k) {
        for (int64_t l = j / width * width; l < j / width * width + width; ++l) {
          const double term = rotation_entry(k, i, width) * H(k, l) * rotation_entry(l, j, width);
          sum += term;
          magnitude += std::fabs(term);
        }
      }
      // The two transforms on one side, the double sum on the other.
      const double bound = (2 * (std::log2(width) + 3) + static_cast<double>(width * width) + 4) *
                           0x1p-53 * magnitude;
      ASSERT_NEAR(rotated(i, j), sum, bound) << i << "," << j;
    }
  }
}

// Inputs of equal size without correlations look the same in every basis: the error is that of
// rounding the rotated matrix.
TEST(PtqRotation, OfRoundedWeightsKeepsTheErrorWhereAllInputsAreAlike) {
  ThreadPool pool(2);
  const int64_t rows = 40, columns = 64;
  const std::vector<float> w = random_weights(rows, columns, 44);
  std::vector<float> rotated(w.size());
  rotate_rows(w.data(), rows, columns, columns, rotated.data());
  const WeightScheme scheme = parse_weight_scheme("int4");
  QuantizedMatrix quantized = quantize_rtn(scheme, rotated.data(), rows, columns, pool);
  const double of_rotated = hessian_error(quantized, rotated.data(), identity(columns), pool);
  quantized.rotation = columns;
  const double of_original = hessian_error(quantized, w.data(), identity(columns), pool);
  // |E| of both differ by the FP32 roundings of W R and of the result: at most 2^-24 of the lengths.
  double length = 0;
  for (size_t i = 0; i < w.size(); ++i) length += double{w[i]} * w[i];
  const double slack = 2.5 * 0x1p-24 * std::sqrt(length);
  EXPECT_NEAR(std::sqrt(of_original), std::sqrt(of_rotated), slack);
}

}  // namespace
}  // namespace bitlaw
