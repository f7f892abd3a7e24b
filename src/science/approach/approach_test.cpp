#include "approach/approach.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "approach/power_line.h"
#include "base/error.h"
#include "base/random.h"

namespace bitlaw {
namespace {

// A law of the form of Hoffmann et al., with its own optimum in closed form.
struct TwoTerms {
  double e = 1.7, a = 400, b = 400, alpha = 0.34, beta = 0.34;

  double loss(double n, double d) const {
    return e + a * std::pow(n, -alpha) + b * std::pow(d, -beta);
  }
  double exponent() const { return beta / (alpha + beta); }
  double best_params(double compute) const {
    return std::pow(alpha * a / (beta * b) * std::pow(compute / 6, beta), 1 / (alpha + beta));
  }
};

struct Grid {
  std::vector<double> budgets{1e18, 4e18, 1.6e19, 6.4e19, 2.56e20};
  int sizes = 7;
  double width = 4;       // from the optimum to either end
  double off_centre = 1;  // factor of the middle
  double noise = 0;       // relative
  uint64_t seed = 1;
};

std::vector<Observation> isoflop_runs(const TwoTerms& law, const Grid& grid) {
  std::vector<Observation> out;
  for (const double compute : grid.budgets) {
    for (int i = 0; i < grid.sizes; ++i) {
      Observation run;
      const double place = 2.0 * i / (grid.sizes - 1) - 1;
      run.params = grid.off_centre * law.best_params(compute) * std::pow(grid.width, place);
      run.tokens = compute / (6 * run.params);
      run.loss_nats = law.loss(run.params, run.tokens) *
                      std::exp(grid.noise * random_normal(grid.seed, 7, out.size()));
      out.push_back(run);
    }
  }
  return out;
}

std::vector<SizedRun> as_sized(const std::vector<Observation>& rows) {
  std::vector<SizedRun> out;
  for (const Observation& row : rows)
    out.push_back({row.params, row.tokens, 6 * row.params * row.tokens, row.loss_nats,
                   static_cast<int>(out.size())});
  return out;
}

IsoflopFit isoflop(const TwoTerms& law, const Grid& grid, int64_t draws = 0) {
  ApproachOptions options;
  options.draws = draws;
  return fit_isoflop(as_sized(isoflop_runs(law, grid)), options);
}

TEST(Budgets, AreGroupedByTheNarrowestSpanFirst) {
  std::vector<SizedRun> runs;
  for (const double compute : {1.0, 1.05, 1.09, 1.3, 1.31, 2.0})
    runs.push_back({.params = 1, .tokens = 1, .compute = compute, .loss_nats = 1});
  const auto groups = group_budgets(runs, 0.1);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0], (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(groups[1], (std::vector<int>{3, 4}));
  // No budget spans more than the tolerance.
  for (const auto& group : group_budgets(runs, 0.06))
    EXPECT_LE(runs[group.back()].compute, 1.06 * runs[group.front()].compute);
}

// The same as looking for the narrowest joint among all, which takes the square of the time.
TEST(Budgets, AreThoseOfTheDefinition) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::vector<SizedRun> runs;
    for (int i = 0; i < 60; ++i)
      runs.push_back({1, 1, std::exp(3 * random_uniform(seed, 1, static_cast<uint64_t>(i))), 1, i});
    std::vector<std::vector<double>> slow;
    for (const SizedRun& run : runs) slow.push_back({run.compute});
    std::sort(slow.begin(), slow.end());
    while (true) {
      size_t best = 0;
      const auto ratio = [&](size_t i) { return slow[i + 1].back() / slow[i].front(); };
      for (size_t i = 1; i + 1 < slow.size(); ++i) best = ratio(i) < ratio(best) ? i : best;
      if (ratio(best) > 1.1) break;
      slow[best].insert(slow[best].end(), slow[best + 1].begin(), slow[best + 1].end());
      slow.erase(slow.begin() + static_cast<ptrdiff_t>(best) + 1);
    }
    const auto fast = group_budgets(runs, 0.1);
    ASSERT_EQ(fast.size(), slow.size());
    for (size_t i = 0; i < fast.size(); ++i) {
      ASSERT_EQ(fast[i].size(), slow[i].size());
      EXPECT_EQ(runs[fast[i].front()].compute, slow[i].front());
    }
  }
}

TEST(Parabola, IsExactWhereThePointsAre) {
  std::vector<double> x, y;
  for (int i = 0; i < 9; ++i) {
    x.push_back(0.5 * i);
    y.push_back(2 + 0.3 * (x.back() - 1.7) * (x.back() - 1.7));
  }
  const auto parabola = fit_parabola(x, y);
  ASSERT_TRUE(parabola && parabola->minimum());
  EXPECT_NEAR(*parabola->minimum(), 1.7, 1e-12);
  EXPECT_NEAR(parabola->squares, 0, 1e-20);
  EXPECT_NEAR(parabola->leverage.sum(), 3, 1e-12);  // the trace of the hat matrix: its constants
  EXPECT_FALSE(fit_parabola({{1.0, 1.0, 2.0}}, {{1.0, 2.0, 3.0}}));
}

// Fieller's interval against its definition, point by point.
TEST(Parabola, TheIntervalIsWhereTheSlopeMayBeZero) {
  std::vector<double> x, y;
  for (int i = 0; i < 7; ++i) {
    x.push_back(i);
    y.push_back(0.02 * (i - 2.5) * (i - 2.5) + 0.01 * random_normal(3, 1, i));
  }
  const auto parabola = fit_parabola(x, y);
  ASSERT_TRUE(parabola);
  const double deviation = 0.01, reach = 2;
  const auto interval = vertex_interval(*parabola, deviation, reach);
  ASSERT_TRUE(interval);
  const auto ratio = [&](double at) {
    const double u = at - parabola->middle;
    const Eigen::MatrixXd& v = parabola->covariance;
    const double slope = parabola->coefficients[1] + 2 * u * parabola->coefficients[2];
    return std::abs(slope) /
           (deviation * std::sqrt(v(1, 1) + 4 * u * v(1, 2) + 4 * u * u * v(2, 2)));
  };
  EXPECT_NEAR(ratio(interval->low), reach, 1e-9);
  EXPECT_NEAR(ratio(interval->high), reach, 1e-9);
  EXPECT_LT(ratio(*parabola->minimum()), 1e-9);
  EXPECT_FALSE(vertex_interval(*parabola, 1, reach));  // the curvature is lost in such noise
}

TEST(PowerLine, ScatterBeyondTheErrorsIsEstimated) {
  std::vector<double> x, y, variances;
  double squares = 0;
  for (int i = 0; i < 400; ++i) {
    x.push_back(0.01 * i);
    variances.push_back(0.01);
    y.push_back(1 + 0.5 * x.back() + 0.1 * random_normal(5, 1, i) + 0.3 * random_normal(5, 2, i));
    squares += 0.3 * 0.3;
  }
  const PowerLine line = fit_power_line(x, y, variances);
  EXPECT_NEAR(line.excess, 0.3, 0.03);
  EXPECT_NEAR(line.slope, 0.5, 0.05);
}

// Centred on the optimum and with equal exponents every curve is symmetric: parabolas are exact in their
// minimum.
TEST(Isoflop, FindsTheOptimumOfSymmetricCurves) {
  const TwoTerms law;
  const IsoflopFit fit = isoflop(law, {});
  ASSERT_EQ(fit.budgets.size(), 5u);
  for (const IsoflopBudget& budget : fit.budgets) {
    ASSERT_TRUE(budget.has_minimum()) << budget.missing;
    EXPECT_NEAR(budget.params.value / law.best_params(budget.compute), 1, 1e-6);
    EXPECT_NEAR(6 * budget.params.value * budget.tokens.value / budget.compute, 1, 1e-6);
  }
  EXPECT_NEAR(fit.optima.a.value, law.exponent(), 1e-6);
  EXPECT_NEAR(fit.optima.a.value + fit.optima.b.value, 1, 1e-9);
}

// Unequal exponents make the curves lopsided. Around the optimum their shape is that of every budget, so
// the exponent stays right and N_opt is off by one factor, which the law beside it tells.
TEST(Isoflop, WhatParabolasMissIsTold) {
  TwoTerms law;
  law.alpha = 0.45, law.beta = 0.25, law.a = 2000, law.b = 60;
  const std::vector<SizedRun> runs =
      as_sized(isoflop_runs(law, {.sizes = 9, .width = 10, .noise = 1e-4}));
  LawAlong along;
  for (const SizedRun& run : runs) along.loss_nats.push_back(law.loss(run.params, run.tokens));
  along.log_params = [&](double compute) { return std::log(law.best_params(compute)); };
  const IsoflopFit without = fit_isoflop(runs, {}), fit = fit_isoflop(runs, {}, &along);
  EXPECT_NEAR(fit.optima.a.value, law.exponent(), 0.01);
  for (size_t b = 0; b < fit.budgets.size(); ++b) {
    const IsoflopBudget& budget = fit.budgets[b];
    const double off = std::log(budget.params.value / law.best_params(budget.compute));
    EXPECT_GT(std::abs(off), 0.03);
    EXPECT_NEAR(budget.bias, off, 0.2 * std::abs(off));
    EXPECT_EQ(budget.params.value, without.budgets[b].params.value);
    EXPECT_LE(budget.params.low, law.best_params(budget.compute));
    EXPECT_GE(budget.params.high, law.best_params(budget.compute));
  }
}

TEST(Isoflop, ABudgetWhoseMinimumIsNotEnclosedHasNone) {
  const TwoTerms law;
  const IsoflopFit fit = isoflop(law, {.width = 2, .off_centre = 4});
  for (const IsoflopBudget& budget : fit.budgets) {
    EXPECT_FALSE(budget.has_minimum());
    EXPECT_NE(budget.missing.find("below the smallest size"), std::string::npos) << budget.missing;
    EXPECT_TRUE(std::isnan(budget.params.value));
  }
  EXPECT_FALSE(fit.optima.known());
  EXPECT_TRUE(std::isnan(fit.optima.a.value));
}

TEST(Isoflop, ACurveLostInNoiseHasNoMinimum) {
  const TwoTerms law;
  int known = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    for (const IsoflopBudget& budget :
         isoflop(law, {.width = 1.5, .noise = 0.05, .seed = seed}).budgets)
      known += budget.has_minimum();
  }
  EXPECT_LE(known, 10);  // of 100; the interval's level allows 5 %
}

// Runs that spent up to 8 % more or less than their budget are moved along the fitted slopes.
TEST(Isoflop, BudgetsThatAreNotExactAreMoved) {
  const TwoTerms law;
  std::vector<Observation> rows;
  for (const double compute : {1e18, 1e19, 1e20}) {
    for (int i = 0; i < 7; ++i) {
      Observation run;
      run.params = law.best_params(compute) * std::pow(4.0, i / 3.0 - 1);
      const double spent = compute * (i % 2 == 0 ? 0.96 : 1.04);
      run.tokens = spent / (6 * run.params);
      run.loss_nats = law.loss(run.params, run.tokens);
      rows.push_back(run);
    }
  }
  const IsoflopFit fit = fit_isoflop(as_sized(rows), {.draws = 0});
  ASSERT_EQ(fit.budgets.size(), 3u);
  EXPECT_LT(fit.scatter, 1e-3);
  EXPECT_NEAR(fit.optima.a.value, law.exponent(), 5e-3);
}

std::vector<LearningCurve> learning_curves_of(const TwoTerms& law, int sizes, double noise,
                                              uint64_t seed) {
  std::vector<LearningCurve> out;
  for (int i = 0; i < sizes; ++i) {
    LearningCurve& curve = out.emplace_back();
    curve.params = 1e7 * std::pow(2.0, i);
    curve.run = std::to_string(i);
    const double factor = std::exp(noise * random_normal(seed, 11, i));
    for (int k = 1; k <= 400; ++k) {
      curve.tokens.push_back(curve.params * 0.05 * k);
      curve.loss_nats.push_back(law.loss(curve.params, curve.tokens.back()) * factor);
    }
  }
  return out;
}

// Equal exponents: at a crossing the optimum is exactly the geometric mean of both sizes.
TEST(Envelope, CrossingsGiveTheExponent) {
  const TwoTerms law;
  const EnvelopeFit fit = fit_envelope(learning_curves_of(law, 6, 0, 1), 6, {});
  ASSERT_EQ(fit.crossings.size(), 5u);
  for (const Crossing& each : fit.crossings) {
    EXPECT_NEAR(std::sqrt(each.smaller * each.larger) / law.best_params(each.compute), 1, 0.02);
  }
  EXPECT_NEAR(fit.optima.a.value, law.exponent(), 0.01);
  EXPECT_LE(fit.optima.a.low, fit.optima.a.value);
}

TEST(Envelope, CurvesThatDoNotCrossGiveNothing) {
  TwoTerms law;
  std::vector<LearningCurve> curves = learning_curves_of(law, 4, 0, 1);
  for (LearningCurve& curve : curves) curve.tokens.resize(12), curve.loss_nats.resize(12);
  const EnvelopeFit fit = fit_envelope(curves, 6, {});
  EXPECT_FALSE(fit.optima.known());
  EXPECT_NE(fit.optima.missing.find("cross"), std::string::npos);
}

TEST(Approach, AllThreeAgreeOnALawWithEqualExponents) {
  const TwoTerms law;
  FitOptions fitting;
  fitting.law = "chinchilla", fitting.hold_out = false, fitting.draws = 100;
  std::vector<Observation> rows = isoflop_runs(law, {.noise = 1e-3});
  const Approaches all = fit_approaches("all", rows, learning_curves_of(law, 6, 1e-3, 1), {},
                                        law_named("chinchilla"), fitting, {});
  for (const Optima* each : {&all.isoflop.optima, &all.envelope.optima, &all.parametric}) {
    ASSERT_TRUE(each->known()) << each->missing;
    EXPECT_NEAR(each->a.value, law.exponent(), 0.03);
    ASSERT_EQ(each->at.size(), 2u);
    EXPECT_NEAR(std::log(each->at[0].params.value / law.best_params(each->at[0].compute)), 0, 0.2);
  }
  ASSERT_EQ(all.verdicts.size(), 3u);
  EXPECT_NE(all.verdicts[0].find(" agree on a"), std::string::npos) << all.verdicts[0];
  const Json document = approaches_json(all);
  EXPECT_EQ(document["isoflop"]["budgets"].size(), 5u);
  EXPECT_NE(approaches_text(all).find("parametric"), std::string::npos);
}

TEST(Approach, RowsOfSeveralPrecisionsAreRefused) {
  std::vector<Observation> rows = isoflop_runs({}, {});
  rows[3].bits_weights = 4;
  EXPECT_THROW(fit_approaches("isoflop", rows, {}, {}, law_named("chinchilla"), {}, {}), Error);
}

}  // namespace
}  // namespace bitlaw
