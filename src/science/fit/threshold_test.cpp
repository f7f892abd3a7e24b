#include "fit/threshold.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "fit/setup.h"
#include "simulate/simulate_for_tests.h"

namespace bitlaw {
namespace {

TEST(Threshold, IsSoManyDeviationsOfNormalResiduals) {
  std::vector<double> residuals;
  for (uint64_t i = 0; i < 20000; ++i) residuals.push_back(0.008 * random_normal(3, 0, i));
  // The median of |r| is known to 1.25 / sqrt(n), relative to the deviation: .9 %.
  EXPECT_NEAR(huber_threshold(residuals, 0) / (1.345 * 0.008), 1, 0.04);
  residuals.resize(40);
  EXPECT_DOUBLE_EQ(huber_threshold(residuals, 30), 2 * huber_threshold(residuals, 0));
  EXPECT_TRUE(std::isnan(huber_threshold(residuals, 38)));
}

std::vector<Observation> study(double noise) {
  std::vector<Observation> rows =
      simulate({.weights = {}, .activations = {}, .kv = {}, .post = {}});
  for (size_t i = 0; i < rows.size(); ++i)
    rows[i].loss_nats *= std::exp(noise * random_normal(5, 1, i));
  return rows;
}

FitOptions quick(double huber_delta) {
  return {
      .law = "chinchilla", .huber_delta = huber_delta, .starts = 16, .draws = 0, .hold_out = false};
}

// The residuals of the fit have the threshold that they were fitted with, to its three digits.
TEST(Threshold, IsThatOfTheFitItLeadsTo) {
  for (const double noise : {1e-4, 8e-3}) {
    const std::vector<Observation> rows = study(noise);
    const Fit fit = fit_law(rows, quick(0));
    const double again = huber_threshold(
        log_residuals(law_named("chinchilla"), Stage::kTraining, fit.values(), rows),
        static_cast<size_t>(fit.training.free));
    EXPECT_NEAR(again / fit.threshold, 1, 0.01) << noise;
    EXPECT_NE(fit.objective_name.find("the threshold from the residuals"), std::string::npos);
  }
}

TEST(Threshold, TheSameNumberAskedForGivesTheSameBits) {
  const std::vector<Observation> rows = study(8e-3);
  const Fit fit = fit_law(rows, quick(0));
  EXPECT_EQ(fit_law(rows, quick(fit.threshold)).values(), fit.values());
}

// Residuals of exact data are rounding errors, and a table of few rows tells no threshold.
TEST(Threshold, ExactAndSmallTablesHaveOneToo) {
  std::vector<Observation> rows = study(0);
  const Law& law = law_named("chinchilla");
  for (Observation& row : rows) row.loss_nats = predict(law, law.constants[0].values.data(), row);
  EXPECT_EQ(fit_law(rows, quick(0)).threshold, 1e-6);
  rows.resize(6);
  EXPECT_EQ(fit_law(rows, quick(0)).threshold, 1e-3);
}

}  // namespace
}  // namespace bitlaw
