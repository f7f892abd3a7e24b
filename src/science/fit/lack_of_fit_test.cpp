#include "fit/lack_of_fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "solve/quantile.h"

namespace bitlaw {
namespace {

PureError replicates(double squares, int cells, int runs) {
  PureError out;
  out.all.cells = cells, out.all.runs = runs;
  out.all.log_squares = squares;
  return out;
}

// Tables of Fisher's F: the values with 5 % and 1 % above.
TEST(LackOfFit, SharesOfF) {
  EXPECT_NEAR(f_share_above(4.9646, 1, 10), 0.05, 1e-5);
  EXPECT_NEAR(f_share_above(2.9782, 10, 10), 0.05, 1e-5);
  EXPECT_NEAR(f_share_above(5.6363, 5, 10), 0.01, 1e-5);
  EXPECT_EQ(f_share_above(0, 3, 3), 1);
}

// 40 rows, 5 constants, 10 degrees of freedom of noise: 25 are left for the lack of fit.
TEST(LackOfFit, IsTheRatioOfTwoVariances) {
  const auto lack = lack_of_fit(60e-6, 40, 5, replicates(10e-6, 5, 15));
  ASSERT_TRUE(lack);
  EXPECT_EQ(lack->freedom, 25);
  EXPECT_NEAR(lack->f, (50e-6 / 25) / 1e-6, 1e-12);
  EXPECT_NEAR(lack->noise, 1e-3, 1e-12);
  EXPECT_FALSE(lack->is_clear());
  EXPECT_TRUE(lack_of_fit(1000e-6, 40, 5, replicates(10e-6, 5, 15))->is_clear());
  EXPECT_FALSE(lack_of_fit(60e-6, 40, 5, replicates(3e-6, 3, 6)));    // too few replicates
  EXPECT_FALSE(lack_of_fit(60e-6, 15, 5, replicates(10e-6, 5, 15)));  // nothing left
}

// Where the law is right, one table in a hundred has a p-value below .01, whatever the noise is.
TEST(LackOfFit, IsRarelyClearWithoutAny) {
  int clear = 0;
  constexpr int kTables = 2000;
  for (uint64_t table = 0; table < kTables; ++table) {
    double noise = 0, rest = 0;
    for (uint64_t i = 0; i < 30; ++i) {
      const double z = random_normal(table, 5, i);
      (i < 8 ? noise : rest) += z * z;
    }
    clear += lack_of_fit(noise + rest, 35, 5, replicates(noise, 8, 16))->is_clear();
  }
  EXPECT_NEAR(clear, 0.01 * kTables, 4 * std::sqrt(0.01 * kTables));
}

}  // namespace
}  // namespace bitlaw
