#include "formats/rotation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "formats/rotation_for_tests.h"

namespace bitlaw {
namespace {

template <class Real>
std::vector<Real> normal_numbers(int64_t count, uint64_t stream) {
  std::vector<Real> x;
  for (int64_t i = 0; i < count; ++i)
    x.push_back(static_cast<Real>(random_normal(11, stream, static_cast<uint64_t>(i))));
  return x;
}

TEST(Rotation, WidthIsTheLargestPowerOfTwoThatDividesAndIsAllowed) {
  EXPECT_EQ(rotation_width(1), 1);
  EXPECT_EQ(rotation_width(7), 1);
  EXPECT_EQ(rotation_width(688), 16);
  EXPECT_EQ(rotation_width(4096), 4096);
  EXPECT_EQ(rotation_width(4096, 128), 128);
  EXPECT_EQ(rotation_width(4096, 100), 64);
  EXPECT_EQ(rotation_width(688, 32), 16);
  EXPECT_EQ(rotation_width(64, 1), 1);
}

// u |x| |R| once for each sweep, for the factor and for the product with it; the sum it is compared
// with, in double, has its own width roundings.
template <class Real>
void expect_product_with_the_matrix(double u) {
  for (const int64_t width : {1, 2, 4, 8, 16, 32, 64, 128, 512}) {
    const int64_t count = 3 * width;
    const std::vector<Real> x = normal_numbers<Real>(count, static_cast<uint64_t>(width));
    std::vector<Real> y = x;
    rotate_blocks(y.data(), count, width);
    for (int64_t j = 0; j < count; ++j) {
      double sum = 0, magnitude = 0;
      for (int64_t i = 0; i < count; ++i) {
        const double term =
            static_cast<double>(x[static_cast<size_t>(i)]) * rotation_entry(i, j, width);
        sum += term;
        magnitude += std::fabs(term);
      }
      const double bound =
          ((std::log2(width) + 2) * u * (1 + 0x1p-20) + static_cast<double>(width + 3) * 0x1p-53) *
          magnitude;
      ASSERT_NEAR(static_cast<double>(y[static_cast<size_t>(j)]), sum, bound) << width << " " << j;
    }
  }
}
TEST(Rotation, IsTheProductWithTheMatrixInFloat) {
  expect_product_with_the_matrix<float>(0x1p-24);
}
TEST(Rotation, IsTheProductWithTheMatrixInDouble) {
  expect_product_with_the_matrix<double>(0x1p-53);
}

// The matrix that is multiplied with, entry by entry: unit vectors give its rows exactly, since all
// of their sums are 0 or +-1.
TEST(Rotation, IsOrthogonal) {
  for (const int64_t width : {1, 2, 16, 64, 256}) {
    const float factor = rotation_factor<float>(width);
    for (int64_t i = 0; i < width; ++i) {
      std::vector<float> row(static_cast<size_t>(width));
      row[static_cast<size_t>(i)] = 1;
      rotate_blocks(row.data(), width, width);
      for (int64_t j = 0; j < width; ++j) {
        const float sign = rotation_entry(i, j, width) > 0 ? 1.0f : -1.0f;
        ASSERT_EQ(row[static_cast<size_t>(j)], sign * factor);
      }
    }
    // Rows are orthogonal as those of +-1 are, and have this length.
    EXPECT_NEAR(static_cast<double>(width) * factor * factor, 1, 0x1p-23);
  }
}

// Twice is the identity, but for two roundings of every sweep: the first one's errors, of length at
// most (log2 b + 2) u |x| sqrt(b) / sqrt(b), come back with their length.
TEST(Rotation, TwiceIsTheIdentity) {
  for (const int64_t width : {1, 4, 16, 32, 128, 512}) {
    const std::vector<float> x = normal_numbers<float>(width, 71);
    std::vector<float> y = x;
    rotate_blocks(y.data(), width, width);
    rotate_blocks(y.data(), width, width);
    double length = 0;
    for (const float value : x) length += double{value} * value;
    const double roundings = 2 * (std::log2(width) + 2);
    const double bound =
        roundings * 0x1p-24 * std::sqrt(static_cast<double>(width) * length) * 1.001;
    for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(y[i], x[i], bound);
  }
}

// A product of two rotated rows is that of the rows: the errors of either are at most
// (log2 b + 2) u sqrt(b) |x| long, see above.
TEST(Rotation, OfBothOperandsLeavesAProductUnchanged) {
  for (const int64_t width : {2, 16, 32, 128}) {
    const int64_t count = 3 * width;
    std::vector<float> x = normal_numbers<float>(count, 81), w = normal_numbers<float>(count, 82);
    const auto product = [&] {
      double sum = 0, xx = 0, ww = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        sum += double{x[i]} * w[i];
        xx += double{x[i]} * x[i];
        ww += double{w[i]} * w[i];
      }
      return std::pair{sum, std::sqrt(xx * ww)};
    };
    const auto [before, lengths] = product();
    rotate_blocks(x.data(), count, width);
    rotate_blocks(w.data(), count, width);
    const double bound = 2 * (std::log2(width) + 2) * 0x1p-24 *
                         std::sqrt(static_cast<double>(width)) * lengths * 1.001;
    EXPECT_NEAR(product().first, before, bound);
  }
}

}  // namespace
}  // namespace bitlaw
