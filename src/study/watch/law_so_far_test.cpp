#include "watch/law_so_far.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "watch/rows_for_tests.h"

namespace bitlaw {
namespace {

double value_of(const LawSoFar& law, const std::string& name) {
  for (const ConstantSoFar& constant : law.constants) {
    if (constant.name == name) return constant.value;
  }
  return kNoNumber;
}

TEST(LawSoFar, HasTheConstantsThatTheRunsIdentify) {
  const std::vector<TidyRow> rows = rows_of_a_study();
  const std::optional<LawSoFar> law = law_so_far(rows, "kumar");
  ASSERT_TRUE(law.has_value());
  EXPECT_EQ(law->runs, std::ssize(rows));
  // As the rows were drawn, with noise of .001 in log loss.
  EXPECT_NEAR(value_of(*law, "alpha"), 0.44, 0.1);
  EXPECT_NEAR(value_of(*law, "beta"), 0.53, 0.1);
  EXPECT_NEAR(value_of(*law, "gamma_w"), 1.9, 0.5);
  EXPECT_TRUE(std::isnan(value_of(*law, "gamma_a"))) << "no run rounds activations";
  EXPECT_GT(value_of(*law, "P*"), 1);
}

TEST(LawSoFar, SaysNothingUntilThereIsALaw) {
  std::vector<TidyRow> rows = rows_of_a_study();
  EXPECT_FALSE(law_so_far({}, "kumar").has_value());
  EXPECT_FALSE(law_so_far({rows.begin(), rows.begin() + 3}, "kumar").has_value());
  for (TidyRow& row : rows) row.status = "started";
  EXPECT_FALSE(law_so_far(rows, "kumar").has_value());
}

// As `bitlaw fit`, which refuses such a table.
TEST(LawSoFar, SaysNothingOfRunsThatDifferInTheirSeedAlone) {
  std::vector<TidyRow> rows = rows_of_a_study();
  rows.resize(12);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].N = rows[0].N;
    rows[i].D = rows[0].D;
    rows[i].P_w = rows[0].P_w;
    rows[i].seed = static_cast<int64_t>(i);
    rows[i].loss = 1.74 + 0.001 * static_cast<double>(i % 5);
  }
  EXPECT_FALSE(law_so_far(rows, "kumar").has_value());
}

TEST(LawSoFar, SaysNothingOfAFitAtTheEdge) {
  std::vector<TidyRow> rows = rows_of_a_study();
  for (TidyRow& row : rows) row.loss = 1e8 / static_cast<double>(*row.D);  // E = 0, as 1 / D
  EXPECT_FALSE(law_so_far(rows, "kumar").has_value());
}

TEST(LawSoFar, SaysNothingOfRowsThatDifferInAFactor) {
  std::vector<TidyRow> rows = rows_of_a_study();
  const std::vector<TidyRow> once = rows;
  for (TidyRow row : once) {
    row.run += "b";
    row.lr = 0.02;
    rows.push_back(row);
  }
  for (size_t i = 0; i < once.size(); ++i) rows[i].lr = 0.01;
  EXPECT_FALSE(law_so_far(rows, "kumar").has_value());
}

TEST(LawSoFar, SaysWhatTheLastResultsChanged) {
  LawSoFar now{
      .law = "kumar",
      .runs = 41,
      .constants = {{"E", 2.41}, {"A", 400}, {"alpha", 0.291}, {"beta", 0.4}, {"P*", 5.9}}};
  EXPECT_EQ(text_of(now),
            "kumar on 41 runs: alpha 0.291, beta 0.4, E 2.41, best precision 5.9 bits");
  compare(now, {.law = "kumar", .runs = 40, .constants = {{"alpha", 0.287}, {"beta", 0.42}}});
  EXPECT_EQ(text_of(now),
            "kumar on 41 runs: alpha 0.291 (+0.004), beta 0.4 (-0.02), E 2.41, best precision 5.9 "
            "bits");
  EXPECT_TRUE(std::isnan(now.constants[0].change));
}

}  // namespace
}  // namespace bitlaw
