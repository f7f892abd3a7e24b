#include "fit/profile.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "base/parallel.h"
#include "base/random.h"
#include "fit/multistart.h"
#include "fit/sandwich.h"
#include "laws/forms/chinchilla.h"
#include "simulate/simulate_for_tests.h"
#include "solve/quantile.h"

namespace bitlaw {
namespace {

// A stage of chinchilla, residuals of the loss itself by squares. With both exponents frozen the
// law is linear in E, A and B, so all of this is linear regression.
StageSetup linear_stage(std::vector<int> free) {
  StageSetup setup;
  setup.law = find_law("chinchilla");
  setup.settings.huber = std::numeric_limits<double>::infinity();
  setup.settings.linear = true;
  setup.base = {1.8, 400, 1800, 0.34, 0.37};
  setup.free = std::move(free);
  setup.tied_to.assign(5, -1);
  setup.starts = 1;
  return setup;
}

std::vector<Observation> rows_with_noise(const StageSetup& setup, double noise) {
  std::vector<Observation> rows;
  for (int i = 0; i < 20; ++i) {
    Observation run;
    run.params = 1e7 * std::pow(2, i % 5), run.tokens = 1e8 * std::pow(3, i / 5);
    run.loss_nats = predict(*setup.law, setup.base.data(), run) +
                    noise * random_normal(7, 0, static_cast<uint64_t>(i));
    rows.push_back(run);
  }
  return rows;
}

struct Regression {
  Vector solution;
  Matrix covariance;
};

// loss = E + A N^-alpha + B D^-beta, by the normal equations.
Regression regress(const StageSetup& setup, const std::vector<Observation>& rows) {
  Matrix design(static_cast<long>(rows.size()), 3);
  Vector losses(static_cast<long>(rows.size()));
  for (size_t i = 0; i < rows.size(); ++i) {
    design.row(static_cast<long>(i)) << 1, std::pow(rows[i].params, -setup.base[3]),
        std::pow(rows[i].tokens, -setup.base[4]);
    losses[static_cast<long>(i)] = rows[i].loss_nats;
  }
  const Matrix inverse = (design.transpose() * design).inverse();
  Regression out;
  out.solution = inverse * design.transpose() * losses;
  const double squares = (losses - design * out.solution).squaredNorm();
  out.covariance = squares / static_cast<double>(rows.size() - 3) * inverse;
  return out;
}

TEST(Profile, OfALinearLawIsTheIntervalOfLinearRegression) {
  const StageSetup setup = linear_stage({Chinchilla::kE, Chinchilla::kA, Chinchilla::kB});
  const std::vector<Observation> rows = rows_with_noise(setup, 1e-2);
  const Regression regression = regress(setup, rows);
  const StageMinimum minimum = fit_stage(setup, rows);
  const std::vector<ProfileResult> results = profile(
      setup, rows, minimum.values,
      {{"E", Chinchilla::kE, {}}, {"A", Chinchilla::kA, {}}, {"B", Chinchilla::kB, {}}}, 0.9);
  const double t = t_quantile(0.95, 17);
  for (int j = 0; j < 3; ++j) {
    const double width = t * std::sqrt(regression.covariance(j, j));
    const ProfileInterval& found = results[static_cast<size_t>(j)].profile;
    EXPECT_NEAR(minimum.values[static_cast<size_t>(j)], regression.solution[j], 1e-6 * width);
    // The crossing is interpolated where the root of the rise is within 1e-4 of t.
    EXPECT_NEAR(found.low, regression.solution[j] - width, 1e-3 * width) << found.name;
    EXPECT_NEAR(found.high, regression.solution[j] + width, 1e-3 * width) << found.name;
    for (const ProfilePoint& point : found.points) {  // a parabola, at every point
      const double z = (point.value - regression.solution[j]) * t / width;
      EXPECT_NEAR(point.rise, z * z, 1e-4 * (1 + z * z)) << found.name;
    }
  }
}

// The loss predicted for one more run is linear in the constants, too.
TEST(Profile, OfAFunctionOfTheConstantsIsThatOfRegression) {
  const StageSetup setup = linear_stage({Chinchilla::kE, Chinchilla::kA, Chinchilla::kB});
  const std::vector<Observation> rows = rows_with_noise(setup, 1e-2);
  const Regression regression = regress(setup, rows);
  const StageMinimum minimum = fit_stage(setup, rows);
  Observation next;
  next.params = 1e9, next.tokens = 1e11;
  Vector row(3);
  row << 1, std::pow(next.params, -setup.base[3]), std::pow(next.tokens, -setup.base[4]);
  // Centred, so that it changes sign and is followed as it is rather than by its logarithm.
  const double centre = row.dot(regression.solution) + 1;
  const ProfileTarget target{
      "loss", -1, [&](const double* p) { return predict(*setup.law, p, next) - centre; }};
  const ProfileInterval found = profile(setup, rows, minimum.values, {target}, 0.9)[0].profile;
  const double width = t_quantile(0.95, 17) * std::sqrt(row.dot(regression.covariance * row));
  EXPECT_NEAR(found.low, -1 - width, 2e-3 * width);
  EXPECT_NEAR(found.high, -1 + width, 2e-3 * width);
}

TEST(Profile, FollowingAConstantOrItselfAsAFunctionIsTheSame) {
  StageSetup setup = linear_stage({0, 1, 2, 3, 4});
  setup.settings.linear = false;
  const std::vector<Observation> rows = rows_with_noise(setup, 1e-3);
  const StageMinimum minimum = fit_stage(setup, rows);
  for (const int i : {Chinchilla::kE, Chinchilla::kAlpha, Chinchilla::kBeta}) {
    const std::vector<ProfileResult> both =
        profile(setup, rows, minimum.values,
                {{"frozen", i, {}}, {"pulled", -1, [i](const double* p) { return p[i]; }}}, 0.9);
    const double width = both[0].profile.high - both[0].profile.low;
    EXPECT_NEAR(both[1].profile.low, both[0].profile.low, 3e-3 * width) << i;
    EXPECT_NEAR(both[1].profile.high, both[0].profile.high, 3e-3 * width) << i;
  }
}

TEST(Profile, WhatTheRowsDoNotBoundHasNoEnd) {
  StageSetup setup = linear_stage({0, 1, 2, 3, 4});
  std::vector<Observation> rows = rows_with_noise(setup, 0.1);  // drowns the fall with size
  for (Observation& row : rows) row.params = 1e7 * std::pow(row.params / 1e7, 0.2);
  const StageMinimum minimum = fit_stage(setup, rows);
  const ProfileInterval found =
      profile(setup, rows, minimum.values, {{"A", Chinchilla::kA, {}}}, 0.9)[0].profile;
  EXPECT_TRUE(std::isnan(found.low) || std::isnan(found.high));
  for (size_t i = 1; i < found.points.size(); ++i) {
    EXPECT_LE(found.points[i - 1].value, found.points[i].value);
  }
}

TEST(Profile, ThreadsDoNotChangeIt) {
  StageSetup setup = linear_stage({0, 1, 2, 3, 4});
  const std::vector<Observation> rows = rows_with_noise(setup, 1e-2);
  const StageMinimum minimum = fit_stage(setup, rows);
  const std::vector<ProfileTarget> targets{{"A", 1, {}}, {"alpha", 3, {}}};
  ThreadPool pool(2);
  const auto one = profile(setup, rows, minimum.values, targets, 0.9);
  const auto two = profile(setup, rows, minimum.values, targets, 0.9,
                           [&](int64_t count, const std::function<void(int64_t)>& task) {
                             pool.parallel_for(count, [&](int64_t i, int) { task(i); });
                           });
  for (size_t i = 0; i < targets.size(); ++i) {
    EXPECT_EQ(one[i].profile.low, two[i].profile.low);
    EXPECT_EQ(one[i].profile.high, two[i].profile.high);
  }
}

TEST(Sandwich, OfALinearLawIsTheCovarianceOfRegression) {
  const StageSetup setup = linear_stage({Chinchilla::kE, Chinchilla::kA, Chinchilla::kB});
  const std::vector<Observation> rows = rows_with_noise(setup, 1e-2);
  const Regression regression = regress(setup, rows);
  const StageMinimum minimum = fit_stage(setup, rows);
  const Sandwich sandwich = sandwich_of(setup, rows, minimum.values);
  EXPECT_EQ(sandwich.freedom, 17);
  // From coordinates to constants.
  const Coordinates coordinates(*setup.law, setup.base, setup.free, setup.tied_to);
  const Matrix chain = coordinates
                           .derivative(Eigen::Map<const Vector>(
                               minimum.values.data(), static_cast<long>(minimum.values.size())))
                           .topRows(3);
  const Matrix covariance = chain * sandwich.covariance * chain.transpose();
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      EXPECT_NEAR(covariance(i, j), regression.covariance(i, j),
                  1e-6 * std::sqrt(regression.covariance(i, i) * regression.covariance(j, j)));
    }
  }
}

// Every row four times over, as clusters of four: the sandwich sees that nothing was added, but for
// the degrees of freedom, which are the same; independent rows would claim half the error.
TEST(Sandwich, CopiesInAClusterAddNothing) {
  const StageSetup setup = linear_stage({Chinchilla::kE, Chinchilla::kA, Chinchilla::kB});
  std::vector<Observation> rows = rows_with_noise(setup, 1e-2), four;
  for (int copy = 0; copy < 4; ++copy) {
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i].cluster = std::to_string(i);
      four.push_back(rows[i]);
    }
  }
  const StageMinimum minimum = fit_stage(setup, rows);
  const Sandwich once = sandwich_of(setup, rows, minimum.values);
  const Sandwich copied = sandwich_of(setup, four, minimum.values);
  EXPECT_EQ(copied.freedom, once.freedom);
  for (Observation& row : four) row.cluster.clear();
  const Sandwich alone = sandwich_of(setup, four, minimum.values);
  for (int i = 0; i < 3; ++i) {
    // By clusters each row's own square counts rather than their mean: equal on average only, here
    // within the factor that twenty squares in different places allow.
    const double ratio = std::sqrt(copied.covariance(i, i) / once.covariance(i, i));
    EXPECT_GT(ratio, 0.6);
    EXPECT_LT(ratio, 1.6);
    EXPECT_NEAR(std::sqrt(alone.covariance(i, i) / once.covariance(i, i)),
                0.5 * std::sqrt(80 / 77.0 * 17 / 20), 1e-6);
  }
}

// Of normal residuals a share erf(c / sqrt 2) lies within c standard deviations.
TEST(Sandwich, TheShareWithinAThresholdIsThatOfTheDensity) {
  std::vector<double> residuals;
  for (uint64_t i = 0; i < 4000; ++i) residuals.push_back(random_normal(1, 0, i));
  EXPECT_EQ(share_within(residuals, std::numeric_limits<double>::infinity()), 1);
  // Five standard errors of a share of 4000.
  EXPECT_NEAR(share_within(residuals, 1), std::erf(1 / std::sqrt(2)), 5 * std::sqrt(0.22 / 4000));
  // Far below the noise: threshold times the density at 0, twice. The window is 1.06 4000^-0.2 =
  // 0.20 wide, holds 640 rows and loses at most 1 % to the density's bend.
  EXPECT_NEAR(share_within(residuals, 1e-3) / (2e-3 * 0.3989), 1, 0.01 + 5 / std::sqrt(640.0));
}

}  // namespace
}  // namespace bitlaw
