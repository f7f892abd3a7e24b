#include "sweep/timing.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sweep/study_for_tests.h"

namespace bitlaw {
namespace {

Rates all_at(const SweepPlan& plan, double tokens_per_second) {
  Rates rates;
  for (const PlannedRun& run : plan.runs) rates[speed_key(run)] = tokens_per_second;
  return rates;
}

TEST(Timing, RunsOfOneKindShareASpeed) {
  const StudyFolder tiny(
      "[[grid]]\n\"recipe.weights\" = [\"16\", \"3\", \"4\", \"e2m1\"]\n\"train.tokens\" = [2560, "
      "5120]\n"
      "[[grid]]\n\"model.width\" = [64]\n");
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  EXPECT_EQ(plan.runs.size(), 9u);
  EXPECT_EQ(all_at(plan, 1).size(), 4u) << "BF16, integers, e2m1, and another width";
}

TEST(Timing, CountsTrainingValidationAndQuantization) {
  const StudyFolder tiny(kTwoRuns);
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  constexpr double kRate = 1000;
  const auto validated = static_cast<double>(plan.runs[0].resolved.config.train.validation_tokens);
  const double train = 0.5 + (25'600 + validated / 3) / kRate;
  // Two cells and the unquantized model; two calibrations.
  const double quantize = 0.5 + (0.4 * 3 * 512 + 2 * 512) / kRate;
  const Rates rates = all_at(plan, kRate);
  EXPECT_NEAR(planned_seconds(plan, rates, 1), 2 * train + quantize, 1e-9);
  EXPECT_NEAR(planned_seconds(plan, rates, 2), train + quantize, 1e-9);
}

TEST(Timing, TheScaleThatFitsIsTheLargest) {
  const StudyFolder tiny("[[grid]]\n\"train.tokens\" = [2_560_000, 5_120_000]\n");
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  const Rates rates = all_at(plan, 1e4);
  const double whole = planned_seconds(plan, rates, 1);
  EXPECT_EQ(planned_seconds_at(plan, 1, rates, 1), whole);
  EXPECT_EQ(scale_that_fits(plan, rates, 1, whole), 1);
  for (const double seconds : {0.9 * whole, 0.3 * whole, 0.05 * whole}) {
    const double scale = scale_that_fits(plan, rates, 1, seconds);
    EXPECT_EQ(scale, std::round(scale * 1000) / 1000);
    EXPECT_LE(planned_seconds_at(plan, scale, rates, 1), seconds);
    EXPECT_GT(planned_seconds_at(plan, scale + 0.002, rates, 1), seconds);
  }
  EXPECT_EQ(scale_that_fits(plan, rates, 1, 0.1), 0.001) << "nothing fits";
}

}  // namespace
}  // namespace bitlaw
