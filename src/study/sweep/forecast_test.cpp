#include "sweep/forecast.h"

#include <gtest/gtest.h>

#include <cmath>

#include "record/result.h"
#include "sweep/speeds.h"
#include "sweep/study_for_tests.h"
#include "train/memory.h"

namespace bitlaw {
namespace {

Forecast forecast_of(const SweepPlan& plan, ForecastOptions options = {}) {
  return forecast(plan, outcomes_so_far(make_jobs(plan), plan.directory), options);
}

std::string text_of(const Forecast& forecast) {
  std::string text;
  for (const std::string& line : describe(forecast)) text += line + "\n";
  return text;
}

TEST(Forecast, CountsCellsByWhatVaries) {
  const StudyFolder tiny(
      "[variants.size]\nsmall = { \"model.width\" = 32 }\nlarge = { \"model.width\" = 64 }\n"
      "[[grid]]\nsize = [\"small\", \"large\"]\n\"train.tokens\" = [2_560, 25_600]\n"
      "[[grid]]\n\"train.seed\" = [2, 3]\n");
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  const Forecast all = forecast_of(plan);
  EXPECT_EQ(all.cells, 6);
  EXPECT_EQ(all.cells_left, 6);
  ASSERT_EQ(all.varies.size(), 3u);
  EXPECT_EQ(all.varies[0].key, "size");
  EXPECT_EQ(all.varies[0].values, (std::vector<std::string>{"small", "large"}));
  EXPECT_EQ(all.varies[2].values, (std::vector<std::string>{"2", "3"}));
  write_result(plan.directory / plan.runs[0].name, {.status = RunStatus::kDiverged});
  EXPECT_EQ(forecast_of(plan).cells_left, 5);
  EXPECT_DOUBLE_EQ(forecast_of(plan).flops_left, all.flops - plan.runs[0].flops);
}

TEST(Forecast, FlopAreThoseOfTrainingWithWhatTrunksSave) {
  const StudyFolder tiny(
      "optimizer.batch_power = 0\nschedule.kind = \"wsd\"\nschedule.warmup_steps = 4\n"
      "schedule.decay = 0.2\n[[grid]]\n\"train.tokens\" = [5_120, 25_600, 10_240]\n");
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  const Forecast whole = forecast_of(plan);
  const double a_token = plan.runs[0].resolved.config.model.training_flops_per_token();
  EXPECT_DOUBLE_EQ(whole.flops_alone, a_token * (5'120 + 25'600 + 10'240));
  EXPECT_NEAR(whole.flops, a_token * (0.2 * 5'120 + 25'600 + 0.2 * 10'240), 1e-6 * whole.flops);
  EXPECT_EQ(whole.trunks, 1);
  EXPECT_EQ(whole.branches, 2);
  EXPECT_NE(text_of(whole).find("; 1 trunk saves "), std::string::npos) << text_of(whole);
}

TEST(Forecast, MemoryIsThatOfTheLargestRunThatIsLeft) {
  const StudyFolder tiny("[[grid]]\n\"model.width\" = [32, 128, 64]\n\"train.seed\" = [1, 2]\n");
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  Forecast two = forecast_of(plan, {.processes = 2});
  EXPECT_EQ(two.largest_run, "model.width=128 train.seed=1");
  EXPECT_NEAR(two.run_memory_bytes,
              plan_memory(plan.runs[2].resolved, plan.data_of(plan.runs[2]), 1).total_bytes(),
              0.2 * two.run_memory_bytes);
  EXPECT_DOUBLE_EQ(two.memory_bytes, 2 * two.run_memory_bytes);
  for (const size_t done : {2u, 3u})
    write_result(plan.directory / plan.runs[done].name, {.status = RunStatus::kDiverged});
  EXPECT_EQ(forecast_of(plan).largest_run, "model.width=64 train.seed=1");
}

TEST(Forecast, TimeAndCostNeedASpeed) {
  const StudyFolder tiny(kTwoRuns);
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  const Forecast unknown = forecast_of(plan, {.price_per_core_hour = 0.04});
  EXPECT_TRUE(std::isnan(unknown.seconds_left));
  EXPECT_NE(text_of(unknown).find("time: not known; --calibrate measures"), std::string::npos);
  EXPECT_EQ(struct_to_json(unknown)["seconds_left"], Json());

  const Rates rates = rates_at(1000, plan);
  const Forecast known = forecast_of(
      plan, {.processes = 1, .rates = rates, .speeds = "told", .price_per_core_hour = 0.04});
  EXPECT_DOUBLE_EQ(known.seconds_left, planned_seconds(plan, rates, 1));
  EXPECT_NEAR(known.core_hours, known.seconds_left / 3600, 1e-9);
  EXPECT_DOUBLE_EQ(known.cost_left, 0.04 * known.core_hours_left);
  EXPECT_NE(text_of(known).find("with 1 process; "), std::string::npos) << text_of(known);

  // The first run is done, its quantized cells are not.
  write_result(plan.directory / plan.runs[1].name, {.status = RunStatus::kDiverged});
  const Forecast left = forecast_of(plan, {.processes = 1, .rates = rates, .speeds = "told"});
  EXPECT_DOUBLE_EQ(left.core_hours, known.core_hours);
  EXPECT_LT(left.seconds_left, 0.6 * known.seconds_left);
}

}  // namespace
}  // namespace bitlaw
