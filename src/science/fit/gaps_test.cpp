// Laws of gaps, from pairs of runs to exponents.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "fit/fit.h"
#include "laws/bind.h"
#include "predict/predict.h"

namespace bitlaw {
namespace {

constexpr double kGammaD = 0.35, kGammaN = 0.25;

// Gaps k (D / 1e8)^gamma_D / (N / 1e6)^gamma_N of two classes, with errors.
std::vector<Observation> gaps(double error, uint64_t seed) {
  std::vector<Observation> out;
  for (const double params : {1e6, 2e6, 4e6, 8e6}) {
    for (const double tokens : {1e8, 3e8, 9e8}) {
      for (const double bits : {4.0, 6.0}) {
        Observation run{.params = params, .tokens = tokens, .loss_nats = 3};
        run.bits_weights = bits;
        const double mean = (bits == 4 ? 0.1 : 0.01) * std::pow(tokens / 1e8, kGammaD) /
                            std::pow(params / 1e6, kGammaN);
        run.delta_nats = mean + error * random_normal(seed, 1, out.size());
        run.delta_standard_error = error;
        out.push_back(run);
      }
    }
  }
  return out;
}

FitOptions quick(const char* law, int64_t draws = 0) {
  return {.law = law, .post_floor = 0.01, .starts = 16, .draws = draws, .hold_out = false};
}

double value(const Fit& fit, const std::string& name) {
  return std::find_if(fit.parameters.begin(), fit.parameters.end(),
                      [&](const FittedParameter& p) { return p.name == name; })
      ->value;
}

TEST(GapLaws, RecoverTheirExponents) {
  for (const char* law : {"gap-class", "gap-exp"}) {
    const Fit fit = fit_law(gaps(1e-5, 1), quick(law));
    EXPECT_NEAR(value(fit, "gamma_D"), kGammaD, 0.01) << law;
    EXPECT_NEAR(value(fit, "gamma_N"), kGammaN, 0.01) << law;
    EXPECT_GT(fit.training.r2_all, 0.999) << law;
    EXPECT_EQ(fit.objective_name, "huber(1.345, sum) of gaps in standard errors");
  }
  const Fit bits = fit_law(gaps(1e-5, 1), quick("gap-bits"));
  EXPECT_NEAR(value(bits, "gamma_P"), std::log(10.0) / std::log(1.5), 0.1);  // from 6 to 4 bits
}

// Gaps below zero are measurements near zero: dropping them, or their logarithms, would be biased.
TEST(GapLaws, NoisyGapsBelowZeroBiasNothing) {
  double mean = 0;
  int below = 0;
  constexpr int kStudies = 40;
  for (uint64_t seed = 1; seed <= kStudies; ++seed) {
    const std::vector<Observation> rows = gaps(1e-2, seed);
    below += static_cast<int>(std::count_if(rows.begin(), rows.end(),
                                            [](const auto& row) { return row.delta_nats < 0; }));
    mean += value(fit_law(rows, quick("gap-class")), "gamma_D") / kStudies;
  }
  EXPECT_GT(below, kStudies);
  EXPECT_NEAR(mean, kGammaD, 0.02);
}

TEST(GapLaws, PredictGapsWithIntervals) {
  const Fit fit = fit_law(gaps(2e-3, 1), quick("gap-class", 100));
  Constants constants;
  ASSERT_EQ(read_constants("", "", fit_to_json(fit), constants), "");
  int inside = 0, all = 0;
  for (const Observation& run : gaps(2e-3, 2)) {
    const Prediction made = predict_run(constants, run);
    ASSERT_TRUE(made.run) << made.problem;
    EXPECT_TRUE(std::isnan(made.delta));
    inside += made.run->low <= run.delta_nats && run.delta_nats <= made.run->high;
    ++all;
  }
  // 24 runs at 90 %: 19 or more with a probability of 97 %.
  EXPECT_GE(inside, 19);
  EXPECT_EQ(all, 24);
}

TEST(GapLaws, RunsWithoutGapsAreRefused) {
  std::vector<Observation> rows = gaps(1e-3, 1);
  for (Observation& row : rows) row.delta_nats = kUnknown;
  try {
    fit_law(rows, quick("gap-class"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("--gap-to"), std::string::npos);
  }
}

}  // namespace
}  // namespace bitlaw
