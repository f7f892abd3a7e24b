#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "tune/rule.h"
#include "tune/simplex.h"

namespace bitlaw {
namespace {

// Configurations spread over two axes that matter and one that does not.
TuneFleet drawn_fleet(int64_t points, uint64_t seed, double best_rate = 0.01, double noise = 0.01) {
  TuneFleet fleet{.N = 1e5,
                  .D = 1e6,
                  .precision = "BF16",
                  .axes = {{"train.lr", 1e-3, 0.1, true},
                           {"train.batch_tokens", 256, 4096, true},
                           {"optimizer.beta2", 0.9, 0.999, false}}};
  for (int64_t i = 0; i < points; ++i) {
    TunePoint point;
    for (size_t k = 0; k < fleet.axes.size(); ++k) {
      point.values.push_back(
          fleet.axes[k].value_at(2 * random_uniform(seed, k, static_cast<uint64_t>(i)) - 1));
    }
    const double a = std::log(point.values[0] / best_rate), b = std::log(point.values[1] / 1024);
    point.loss = 3.5 + 0.1 * a * a + 0.05 * b * b + 0.04 * a * b +
                 noise * random_normal(seed, 9, static_cast<uint64_t>(i));
    fleet.points.push_back(point);
  }
  return fleet;
}

std::vector<double> losses_of(const TuneFleet& fleet) {
  std::vector<double> losses;
  for (const TunePoint& point : fleet.points) losses.push_back(point.loss);
  return losses;
}

TEST(Simplex, FindsTheBottomOfAValley) {
  const auto rosenbrock = [](const std::vector<double>& x) {
    return std::pow(1 - x[0], 2) + 100 * std::pow(x[1] - x[0] * x[0], 2);
  };
  const SimplexFound found = minimise_simplex(rosenbrock, {-1.2, 1}, {0.5, 0.5}, 1e-14, 2000);
  EXPECT_NEAR(found.x[0], 1, 1e-4);
  EXPECT_NEAR(found.x[1], 1, 1e-4);
}

TEST(TuneAxis, PlacesComeBack) {
  const TuneAxis axis{"train.lr", 1e-3, 0.1, true};
  EXPECT_DOUBLE_EQ(axis.place_of(1e-3), -1);
  EXPECT_NEAR(axis.place_of(0.01), 0, 1e-12);
  EXPECT_NEAR(axis.value_at(axis.place_of(0.05)), 0.05, 1e-12);
}

TEST(NoisyQuadratic, WithoutNoiseItIsThePower) {
  const NoisyQuadratic q{.alpha = 3, .gamma = 3, .sigma = 1e-6, .threshold = 4, .share = 0.5};
  EXPECT_NEAR(q.below(3.25), 0.5 * std::pow(0.25, 1.5), 1e-6);
  EXPECT_EQ(q.below(2.9), 0);
}

TEST(NoisyQuadratic, TheDensityIsTheDerivative) {
  const NoisyQuadratic q{.alpha = 3, .gamma = 2.5, .sigma = 0.1, .threshold = 4, .share = 0.5};
  for (const double loss : {2.95, 3.0, 3.1, 3.5, 3.9}) {
    const double h = 1e-3;
    EXPECT_NEAR(q.density(loss), (q.below(loss + h) - q.below(loss - h)) / (2 * h), 2e-3) << loss;
  }
}

// Losses drawn from the distribution itself: the truth lies in the intervals about as often as they
// say. Nine of ten; with 20 fleets, 13 or fewer has a probability of .2 %.
TEST(Tail, IntervalsHoldTheTruth) {
  constexpr int kFleets = 20;
  int alpha = 0, regret = 0;
  for (uint64_t seed = 1; seed <= kFleets; ++seed) {
    NoisyQuadratic truth{.alpha = 3.5, .gamma = 2, .sigma = 0.01, .threshold = 4, .share = 1};
    std::vector<double> losses;
    for (uint64_t i = 0; i < 128; ++i)
      losses.push_back(3.5 + 0.5 * random_uniform(seed, 1, i) + 0.01 * random_normal(seed, 2, i));
    const TailFit fit = fit_tail(losses, {.noise = 0.01});
    ASSERT_EQ(fit.missing, "");
    alpha += fit.alpha.low <= truth.alpha && truth.alpha <= fit.alpha.high;
    const double expected = expected_regret(truth, 128, 77);
    for (const Regret& each : fit.regrets) {
      if (each.configurations == 128)
        regret += each.nats.low <= expected && expected <= each.nats.high;
    }
  }
  EXPECT_GT(alpha, 13);
  EXPECT_GT(regret, 13);
}

TEST(Tail, CountsTheDimensionsThatMatter) {
  const TailFit fit = fit_tail(losses_of(drawn_fleet(512, 3)), {.noise = 0.01});
  ASSERT_EQ(fit.missing, "");
  EXPECT_LE(fit.dimension.low, 2);
  EXPECT_GE(fit.dimension.high, 2);
  EXPECT_LT(fit.dimension.high, 5);
}

TEST(Tail, MoreConfigurationsLoseLess) {
  const TailFit fit = fit_tail(losses_of(drawn_fleet(256, 5)));
  ASSERT_EQ(fit.missing, "");
  ASSERT_EQ(fit.regrets.size(), 4u);
  for (size_t k = 1; k < fit.regrets.size(); ++k)
    EXPECT_LT(fit.regrets[k].nats.value, fit.regrets[k - 1].nats.value);
  EXPECT_GT(fit.regrets[0].nats.value, 0.02) << "four configurations are not tuned";
}

TEST(Tail, TunedEnoughIsARegretThatIsSurelyBelowTheTolerance) {
  const std::vector<double> losses = losses_of(drawn_fleet(256, 5));
  const double high = fit_tail(losses).regrets.back().nats.high;
  EXPECT_TRUE(fit_tail(losses, {.tolerance = 1.01 * high}).enough);
  EXPECT_FALSE(fit_tail(losses, {.tolerance = 0.99 * high}).enough);
}

TEST(Tail, FewConfigurationsSayNothing) {
  const TailFit fit = fit_tail(losses_of(drawn_fleet(16, 1)));
  EXPECT_NE(fit.missing.find("too few"), std::string::npos);
  EXPECT_TRUE(std::isnan(fit.alpha.value));
  EXPECT_FALSE(fit.enough);
}

TEST(Tail, ThoseGivenUpCountAsWorse) {
  std::vector<double> losses = losses_of(drawn_fleet(256, 5));
  std::sort(losses.begin(), losses.end());
  const TailFit all = fit_tail(losses, {.noise = 0.01});
  for (size_t i = 64; i < losses.size(); ++i) losses[i] = std::numeric_limits<double>::infinity();
  const TailFit some = fit_tail(losses, {.noise = 0.01});
  ASSERT_EQ(some.missing, "");
  EXPECT_LT(some.in_tail, 64);
  EXPECT_NEAR(some.alpha.value, all.alpha.value, 0.01);
}

TEST(Surface, FindsTheBestAndSaysWhatDoesNotMatter) {
  const Surface surface = fit_surface(drawn_fleet(128, 7));
  ASSERT_EQ(surface.missing, "");
  ASSERT_EQ(surface.axes.size(), 3u);
  EXPECT_EQ(surface.axes[0].missing, "");
  EXPECT_NEAR(std::log(surface.axes[0].best.value / 0.01), 0, 0.1);
  EXPECT_LT(surface.axes[0].best.low, 0.01);
  EXPECT_GT(surface.axes[0].best.high, 0.01);
  // .1 a^2 = .01 at a = +-.32
  EXPECT_NEAR(std::log(surface.axes[0].flat_high / surface.axes[0].best.value), 0.316, 0.05);
  EXPECT_NE(surface.axes[2].missing.find("hardly depends on it"), std::string::npos)
      << surface.axes[2].missing;
  EXPECT_NEAR(surface.residual, 0.01, 0.003);
}

TEST(Surface, AnOptimumOutsideIsNoNumber) {
  const Surface surface = fit_surface(drawn_fleet(128, 7, 0.3));
  EXPECT_NE(surface.axes[0].missing.find("or above, the high end of the range being 0.1"),
            std::string::npos)
      << surface.axes[0].missing;
  EXPECT_TRUE(std::isnan(surface.axes[0].best.value));
}

TEST(Surface, FewConfigurationsHaveNone) {
  EXPECT_NE(fit_surface(drawn_fleet(12, 1)).missing.find("too few"), std::string::npos);
}

TEST(Rule, TheBestRateMovesWithSize) {
  std::vector<TunedFleet> fleets;
  for (const double N : {1e5, 4e5, 1.6e6}) {
    TunedFleet tuned{.fleet =
                         drawn_fleet(128, static_cast<uint64_t>(N), 0.01 * std::sqrt(4e5 / N))};
    tuned.fleet.N = N;
    tuned.surface = fit_surface(tuned.fleet);
    fleets.push_back(tuned);
  }
  const std::vector<AxisRule> rules = tuning_rules(fleets, "BF16");
  ASSERT_EQ(rules.size(), 2u) << "beta2 is not on a logarithmic scale";
  EXPECT_EQ(rules[0].missing, "");
  EXPECT_NEAR(rules[0].N0, 4e5, 1);
  EXPECT_NEAR(rules[0].at_middle.value, 0.01, 0.0005);
  EXPECT_NEAR(rules[0].of_N.value, -0.5, 0.05);
  EXPECT_LT(rules[0].of_N.low, -0.5);
  EXPECT_GT(rules[0].of_N.high, -0.5);
  EXPECT_TRUE(std::isnan(rules[0].of_D.value));
}

TEST(Rule, OneFleetHasNoRule) {
  TunedFleet tuned{.fleet = drawn_fleet(128, 1)};
  tuned.surface = fit_surface(tuned.fleet);
  EXPECT_NE(tuning_rules({tuned}, "BF16")[0].missing, "");
}

TEST(Rule, FewerBitsShiftTheRate) {
  TunedFleet full{.fleet = drawn_fleet(128, 1)}, low{.fleet = drawn_fleet(128, 2, 0.005)};
  low.fleet.precision = "W4";
  full.surface = fit_surface(full.fleet);
  low.surface = fit_surface(low.fleet);
  const std::vector<BitsShift> shifts = bits_shifts({full, low}, "BF16");
  ASSERT_EQ(shifts.size(), 2u);
  EXPECT_EQ(shifts[0].key, "train.lr");
  EXPECT_NEAR(shifts[0].ratio.value, 0.5, 0.05);
}

}  // namespace
}  // namespace bitlaw
