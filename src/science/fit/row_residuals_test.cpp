// Residuals of rows are those that the fit minimised.
#include "fit/row_residuals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "laws/registry.h"
#include "simulate/simulate_for_tests.h"

namespace bitlaw {
namespace {

FitOptions quick() {
  FitOptions options;
  options.law = "kumar";
  options.draws = 0, options.starts = 8, options.hold_out = false;
  return options;
}

double huber(double residual, double threshold) {
  const double size = std::fabs(residual);
  return size <= threshold ? size * size / 2 : threshold * (size - threshold / 2);
}

TEST(RowResiduals, TheirHuberSumIsTheObjectiveOfBothStages) {
  const std::vector<Observation> rows = simulate({.noise = 1e-2});
  for (const char* kind : {"log", "linear"}) {
    FitOptions options = quick();
    options.residual = kind;
    const Fit fit = fit_law(rows, options);
    const std::vector<RowResidual> residuals =
        row_residuals(law_named("kumar"), rows, options, fit);
    ASSERT_EQ(residuals.size(), rows.size());
    double training = 0, post = 0;
    int runs = 0, deltas = 0;
    for (size_t i = 0; i < residuals.size(); ++i) {
      const RowResidual& each = residuals[i];
      EXPECT_EQ(each.row, i);
      if (!each.left_out.empty()) continue;
      const double value = each.of_delta ? rows[i].delta_nats : rows[i].loss_nats;
      EXPECT_EQ(each.measured, value);
      if (each.unit == "loss") EXPECT_NEAR(each.residual, each.predicted - value, 1e-12);
      if (each.unit == "log loss")
        EXPECT_NEAR(each.residual, std::log(each.predicted / value), 1e-12);
      const double threshold = each.of_delta ? options.post_threshold : fit.threshold;
      EXPECT_EQ(each.outlier, std::fabs(each.residual) > threshold);
      (each.of_delta ? post : training) += each.weight * huber(each.residual, threshold);
      ++(each.of_delta ? deltas : runs);
    }
    EXPECT_EQ(runs, fit.training.points);
    EXPECT_EQ(deltas, fit.post.points);
    EXPECT_NEAR(training, fit.training.objective, 1e-9 * fit.training.objective);
    EXPECT_NEAR(post, fit.post.objective, 1e-9 * fit.post.objective);
  }
}

TEST(RowResiduals, AStandardisedResidualHasDeviationOne) {
  const std::vector<Observation> rows = simulate({.noise = 1e-2});
  const FitOptions options = quick();
  const Fit fit = fit_law(rows, options);
  std::vector<double> sizes;
  for (const RowResidual& each : row_residuals(law_named("kumar"), rows, options, fit)) {
    if (each.left_out.empty() && !each.of_delta) sizes.push_back(std::fabs(each.standardised));
  }
  std::sort(sizes.begin(), sizes.end());
  const double n = static_cast<double>(sizes.size()), k = fit.training.free;
  const double middle = (sizes[(sizes.size() - 1) / 2] + sizes[sizes.size() / 2]) / 2;
  EXPECT_NEAR(middle / 0.6744897501960817 * std::sqrt(n / (n - k)), 1, 1e-12);
}

TEST(RowResiduals, OtherRowsAreRefused) {
  std::vector<Observation> rows = simulate({.noise = 1e-2});
  const FitOptions options = quick();
  const Fit fit = fit_law(rows, options);
  rows[0].loss_nats *= 1.01;
  EXPECT_THROW(row_residuals(law_named("kumar"), rows, options, fit), Error);
  rows.erase(rows.begin());
  EXPECT_THROW(row_residuals(law_named("kumar"), rows, options, fit), Error);
}

TEST(RowResiduals, OtherOptionsAreRefused) {
  const std::vector<Observation> rows = simulate({.noise = 1e-2});
  const Fit fit = fit_law(rows, quick());
  FitOptions others[3] = {quick(), quick(), quick()};
  others[0].residual = "linear";
  others[1].objective = "least-squares";
  others[2].weights = "standard-error";
  for (const FitOptions& options : others)
    EXPECT_THROW(row_residuals(law_named("kumar"), rows, options, fit), Error);
}

TEST(RowResiduals, RowsThatAreNotFittedSayWhy) {
  std::vector<Observation> rows = simulate({.noise = 1e-2});
  const auto cell = std::find_if(rows.begin(), rows.end(),
                                 [](const Observation& row) { return row.is_post_training(); });
  ASSERT_NE(cell, rows.end());
  cell->delta_nats = kUnknown;
  const FitOptions options = quick();
  const Fit fit = fit_law(rows, options);
  const auto residuals = row_residuals(law_named("kumar"), rows, options, fit);
  EXPECT_EQ(residuals[static_cast<size_t>(cell - rows.begin())].left_out,
            "quantized, and has no delta");
}

}  // namespace
}  // namespace bitlaw
