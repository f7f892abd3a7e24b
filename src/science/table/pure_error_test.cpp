#include "table/pure_error.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bitlaw {
namespace {

TidyRow run(int64_t n, double bits, int64_t seed, double loss) {
  TidyRow row;
  row.status = "finished";
  row.method = "none";
  row.N = n, row.D = 1'000'000;
  row.P_w = bits;
  row.P_a = row.P_kv = row.P_post = 16;
  row.seed = seed;
  row.loss = loss;
  row.lr = 0.01;
  return row;
}

PureError of(const std::vector<TidyRow>& rows) {
  std::vector<FactorRow> out;
  for (const TidyRow& row : rows) out.push_back(factor_row(row));
  return pure_error(out);
}

TEST(PureError, IsTheSpreadWithinSettings) {
  const PureError error = of({run(1000, 16, 1, 3.0), run(1000, 16, 2, 3.2), run(1000, 16, 3, 3.1),
                              run(1000, 4, 1, 3.5), run(1000, 4, 2, 3.7), run(9000, 16, 1, 2.0)});
  EXPECT_EQ(error.all.cells, 2);
  EXPECT_EQ(error.all.runs, 5);
  EXPECT_EQ(error.all.freedom(), 3);
  EXPECT_NEAR(error.all.squares, 0.02 + 0.02, 1e-15);
  EXPECT_NEAR(error.all.deviation(), std::sqrt(0.04 / 3), 1e-15);
  ASSERT_EQ(error.parts.size(), 2u);
  EXPECT_EQ(error.parts[0].label, "BF16");
  EXPECT_EQ(error.parts[0].freedom(), 2);
  EXPECT_NEAR(error.parts[0].deviation(), 0.1, 1e-15);
  EXPECT_EQ(error.parts[1].label, "W4");
  EXPECT_EQ(error.parts[1].freedom(), 1);
  EXPECT_NEAR(error.deviation(1000, "BF16"), error.all.deviation(), 1e-15)
      << "two degrees of freedom are too few to prefer";
  const Json document = pure_error_json(error);
  EXPECT_EQ(document["freedom"], 3);
  EXPECT_EQ(document["parts"][1]["precision"], "W4");
  EXPECT_EQ(pure_error_text(error),
            "pure error: losses of 5 runs in 2 settings deviate by 0.12 nats between seeds (3 "
            "degrees of freedom)\n"
            "  N 1 k      BF16     0.1 (2 degrees of freedom)\n"
            "  N 1 k      W4       0.14 (1 degree of freedom)\n");
}

TEST(PureError, APartOfItsOwnNeedsFourDegreesOfFreedom) {
  std::vector<TidyRow> rows;
  for (int64_t seed = 1; seed <= 5; ++seed) {
    rows.push_back(run(1000, 16, seed, 3 + 0.001 * static_cast<double>(seed % 2)));
    rows.push_back(run(1000, 4, seed, 3 + 0.1 * static_cast<double>(seed % 2)));
  }
  const PureError error = of(rows);
  EXPECT_NEAR(error.deviation(1000, "BF16"), 0.001 * std::sqrt(0.3), 1e-12);
  EXPECT_NEAR(error.deviation(1000, "W4"), 0.1 * std::sqrt(0.3), 1e-12);
  EXPECT_NEAR(error.deviation(1000, "W5"), error.all.deviation(), 1e-15);
}

TEST(PureError, OtherFactorsAreNoReplicates) {
  std::vector<TidyRow> rows{run(1000, 16, 1, 3.0), run(1000, 16, 2, 3.2)};
  rows[1].lr = 0.02;
  EXPECT_EQ(of(rows).all.cells, 0);
  EXPECT_TRUE(std::isnan(of(rows).deviation(1000, "BF16")));
  EXPECT_TRUE(pure_error_json(of(rows)).is_null());
  EXPECT_EQ(pure_error_text(of(rows)), "");
  rows[1].lr = 0.01, rows[1].engine = "avx2";
  EXPECT_EQ(of(rows).all.cells, 1) << "another engine is as another seed";
  rows[1].seed = 1;
  EXPECT_EQ(of(rows).all.cells, 0) << "the same seed is the same run again";
  rows[0].seed = rows[1].seed = std::nullopt;
  EXPECT_EQ(of(rows).all.cells, 1) << "seeds that are not known count as different";
  EXPECT_NE(pure_error_text(of(rows)).find("nats between repeated rows (1 degree of freedom)"),
            std::string::npos);
  EXPECT_EQ(pure_error_json(of(rows))["seeded"], false);
}

// To the last bit: the row is there twice. Its deviation of 0 would make everything else signal.
TEST(PureError, ACopyOfARowIsNoReplicate) {
  std::vector<TidyRow> rows{run(1000, 16, 1, 3.0), run(1000, 16, 2, 3.0), run(1000, 16, 3, 3.2)};
  EXPECT_EQ(of(rows).all.runs, 3) << "their seeds differ";
  for (TidyRow& row : rows) row.seed = std::nullopt;
  EXPECT_EQ(of(rows).all.runs, 2);
  rows.pop_back();
  EXPECT_EQ(of(rows).all.cells, 0);
}

// Nothing tells whether such rows are replicates.
TEST(PureError, WithoutSeedsFactorsMustBeKnownAlike) {
  std::vector<TidyRow> rows{run(1000, 16, 1, 3.0), run(1000, 16, 2, 3.2), run(9000, 16, 1, 2.9)};
  for (TidyRow& row : rows) row.lr = NAN;
  EXPECT_EQ(of(rows).all.cells, 1) << "seeds are known";
  for (TidyRow& row : rows) row.seed = std::nullopt;
  EXPECT_EQ(of(rows).all.cells, 0) << "no factor is";
  for (TidyRow& row : rows) row.lr = 0.01;
  EXPECT_EQ(of(rows).all.cells, 1);
  rows[2].weight_decay = 0.1;
  EXPECT_EQ(of(rows).all.cells, 0) << "the other rows may differ in it";
}

TEST(PureError, CellsAndRunsWithoutALossDoNotCount) {
  std::vector<TidyRow> rows{run(1000, 16, 1, 3.0), run(1000, 16, 2, 3.2), run(1000, 16, 3, NAN)};
  rows[1].method = "gptq", rows[1].P_post = 4;
  EXPECT_EQ(of(rows).all.cells, 0);
}

}  // namespace
}  // namespace bitlaw
