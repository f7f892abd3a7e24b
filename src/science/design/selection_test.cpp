#include "design/selection.h"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>

#include "base/random.h"

namespace bitlaw {
namespace {

Matrix random_matrix(long rows, long columns, uint64_t stream) {
  Matrix out(rows, columns);
  for (long i = 0; i < rows; ++i) {
    for (long j = 0; j < columns; ++j) {
      out(i, j) = random_normal(5, stream, static_cast<uint64_t>(i * columns + j));
    }
  }
  return out;
}

Matrix prior(long k) {
  const Matrix rows = random_matrix(2 * k, k, 0);
  return (rows.transpose() * rows).inverse();
}

std::vector<Experiment> some_experiments(int count, long k) {
  std::vector<Experiment> out;
  for (int i = 0; i < count; ++i) {
    const auto stream = static_cast<uint64_t>(i + 1);
    out.push_back({random_matrix(1 + i % 3, k, stream), 0.5 + random_uniform(6, stream, 0)});
  }
  return out;
}

TEST(Selection, CovarianceAfterIsTheInverseOfAllInformation) {
  const Matrix before = prior(5);
  for (const Experiment& experiment : some_experiments(6, 5)) {
    const Matrix whole =
        (before.inverse() + experiment.rows.transpose() * experiment.rows).inverse();
    EXPECT_LT((covariance_after(before, experiment) - whole).norm(), 1e-10 * whole.norm());
  }
}

// Every set of three from twelve, of equal cost: the choice is the best or next to it.
TEST(Selection, NearlyTheBestOfAllSets) {
  const Matrix before = prior(4);
  std::vector<Experiment> experiments = some_experiments(12, 4);
  for (Experiment& each : experiments) each.cost = 1;
  for (const bool one_direction : {true, false}) {
    Vector c;
    if (one_direction) c = random_matrix(4, 1, 99);
    double least = spread_of(before, c);
    for (size_t i = 0; i < experiments.size(); ++i) {
      for (size_t j = i; j < experiments.size(); ++j) {
        for (size_t l = j; l < experiments.size(); ++l) {
          Matrix now = before;
          for (const size_t at : {i, j, l}) now = covariance_after(now, experiments[at]);
          least = std::min(least, spread_of(now, c));
        }
      }
    }
    const Selection chosen = select_experiments(before, c, experiments, 3, 3);
    EXPECT_EQ(chosen.chosen.size(), 3u);
    EXPECT_GE(chosen.spreads.back(), least * (1 - 1e-12));
    EXPECT_LT(chosen.spreads.back(), least * 1.02);
  }
}

TEST(Selection, StaysWithinBudgetAndCount) {
  const Matrix before = prior(4);
  const std::vector<Experiment> experiments = some_experiments(20, 4);
  const Vector c = Vector::Unit(4, 2);
  double last = spread_of(before, c);
  for (const double budget : {0.1, 1.0, 3.0, 10.0}) {
    const Selection chosen = select_experiments(before, c, experiments, budget, 6);
    double cost = 0;
    for (const int i : chosen.chosen) cost += experiments[static_cast<size_t>(i)].cost;
    EXPECT_NEAR(cost, chosen.cost, 1e-12);
    EXPECT_LE(cost, budget);
    EXPECT_LE(chosen.chosen.size(), 6u);
    if (chosen.chosen.empty()) continue;
    EXPECT_LT(chosen.spreads.back(), last);  // more budget, more certainty
    last = chosen.spreads.back();
    for (size_t i = 1; i < chosen.spreads.size(); ++i) {
      EXPECT_LT(chosen.spreads[i], chosen.spreads[i - 1]);
    }
  }
}

// The slope of a line, with x in [-1, 1], is told by its ends: after n runs there its variance is
// 1 / n, and no design does better.
TEST(Selection, TheSlopeOfALineIsToldByItsEnds) {
  std::vector<Experiment> experiments;
  for (int i = -10; i <= 10; ++i) {
    Matrix row(1, 2);
    row << 1, i / 10.0;
    experiments.push_back({row, 1});
  }
  const Matrix before = 1e6 * Matrix::Identity(2, 2);
  const Selection chosen = select_experiments(before, Vector::Unit(2, 1), experiments, 8, 8);
  EXPECT_NEAR(chosen.spreads.back(), std::sqrt(1 / 8.0), 1e-6);
}

}  // namespace
}  // namespace bitlaw
