#include "fit/alike_rows.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace bitlaw {
namespace {

constexpr int kSizes = 6, kTokens = 7;

struct Drawn {
  std::vector<Observation> rows;
  std::vector<double> residuals;
};

// `shared`: the share of the variance that rows of one N have in common.
Drawn draw(uint64_t seed, double shared) {
  Drawn out;
  for (uint32_t size = 0; size < kSizes; ++size) {
    const double own = random_normal(seed, 1, size);
    for (uint32_t i = 0; i < kTokens; ++i) {
      Observation row;
      row.params = 1e7 * std::pow(2.0, size), row.tokens = 1e9 * (i + 1);
      out.rows.push_back(row);
      out.residuals.push_back(0.01 *
                              (std::sqrt(shared) * own +
                               std::sqrt(1 - shared) * random_normal(seed, 2, size * kTokens + i)));
    }
  }
  return out;
}

TEST(AlikeRows, PointsOfOneRunAreFoundAndIndependentRowsAreNot) {
  int alarms = 0, found = 0;
  constexpr int kTables = 200;
  for (uint64_t seed = 0; seed < kTables; ++seed) {
    const Drawn independent = draw(seed, 0), curves = draw(seed, 0.9);
    alarms += alike_rows(independent.rows, independent.residuals).is_clear();
    found += alike_rows(curves.rows, curves.residuals).is_clear();
  }
  EXPECT_LE(alarms, 1);  // .02 are expected
  EXPECT_GE(found, 190);
}

// The mean square between six means, over that within groups, by hand.
TEST(AlikeRows, IsTheRatioOfFisher) {
  Drawn table;
  const double residuals[4][3] = {{1, 2, 3}, {2, 3, 4}, {5, 6, 7}, {0, 1, 2}};
  for (int group = 0; group < 4; ++group) {
    for (const double residual : residuals[group]) {
      Observation row;
      row.params = 1e8 * (group + 1), row.tokens = 1e9;
      table.rows.push_back(row);
      table.residuals.push_back(residual);
    }
  }
  const AlikeRows found = alike_rows(table.rows, table.residuals);
  EXPECT_EQ(found.groups, 4);
  EXPECT_EQ(found.rows, 12);
  // Means 2, 3, 6, 1 around 3: between 3 (1 + 0 + 9 + 4) / 3 = 14, within 8 / 8 = 1.
  EXPECT_NEAR(found.f, 14, 1e-12);
}

TEST(AlikeRows, ClustersOfTheTableAreNoSurprise) {
  Drawn curves = draw(3, 0.9);
  EXPECT_NE(alike_rows_note(curves.rows, curves.residuals).find("--cluster N"), std::string::npos);
  for (Observation& row : curves.rows) row.cluster = std::to_string(row.params);
  EXPECT_EQ(alike_rows_note(curves.rows, curves.residuals), "");
}

}  // namespace
}  // namespace bitlaw
