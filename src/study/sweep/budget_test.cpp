#include "sweep/budget.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sweep/speeds.h"
#include "sweep/study_for_tests.h"

namespace bitlaw {
namespace {

constexpr const char* kThree = "[[grid]]\n\"train.tokens\" = [25_600, 51_200, 12_800]\n";

// How many cells are left.
size_t paid(const StudyFolder& tiny, const std::string& text, int parallel = 1) {
  SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  apply_budget(plan, parse_budget(text, "--budget"), rates_at(1000, plan), parallel);
  return plan.runs.size();
}

TEST(Budget, HasUnits) {
  EXPECT_EQ(parse_budget("1e16 FLOP", "").unit, Budget::Unit::kFlop);
  EXPECT_EQ(parse_budget("1e16FLOP", "").amount, 1e16);
  EXPECT_EQ(parse_budget("20 core-hours", "").unit, Budget::Unit::kCoreHours);
  EXPECT_EQ(parse_budget(" 2 h ", "").amount, 2);
  EXPECT_DOUBLE_EQ(parse_budget("90 min", "").amount, 1.5);
  for (const char* wrong : {"", "2", "h", "-2 h", "0 FLOP", "2 weeks", "nan h"}) {
    EXPECT_NE(error_of([&] {
                parse_budget(wrong, "--budget");
              }).find("--budget '" + std::string(wrong) + "': expected a number above 0 with FLOP"),
              std::string::npos)
        << wrong;
  }
}

TEST(Budget, PaysForTheFirstCellsOfTheStudy) {
  const StudyFolder tiny(kThree);
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  const double first = plan.runs[0].flops;
  const auto flop = [](double amount) { return std::to_string(amount) + " FLOP"; };
  EXPECT_EQ(paid(tiny, flop(first)), 1u);
  EXPECT_EQ(paid(tiny, flop(2.9 * first)), 1u) << "the third would fit, the second comes first";
  EXPECT_EQ(paid(tiny, flop(3 * first)), 2u);
  EXPECT_EQ(paid(tiny, flop(3.5 * first)), 3u);
  EXPECT_EQ(error_of([&] { paid(tiny, "1e6 FLOP"); })
                .find("budget '1e6 FLOP': too small for the first cell of tiny, "
                      "train.tokens=25600, which takes "),
            0u);
}

TEST(Budget, OfTimeCountsProcesses) {
  const StudyFolder tiny(kThree);
  // 26.3, 51.9 and 13.5 s, validation included, at 1000 tokens a second.
  EXPECT_EQ(paid(tiny, "30 s"), 1u);
  EXPECT_EQ(paid(tiny, "60 s"), 1u);
  EXPECT_EQ(paid(tiny, "60 s", 2), 3u);
  EXPECT_EQ(paid(tiny, "0.02 core-hours", 2), 1u);
  EXPECT_EQ(paid(tiny, "0.03 core-hours", 2), 3u);
}

TEST(Budget, KnowsWhatTrunksSave) {
  const StudyFolder tiny(
      "optimizer.batch_power = 0\nschedule.kind = \"wsd\"\nschedule.warmup_steps = 4\n"
      "schedule.decay = 0.2\n[[grid]]\n\"train.tokens\" = [25_600, 10_240]\n");
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  const double both = plan.runs[0].flops + 0.2 * plan.runs[1].flops;
  EXPECT_EQ(paid(tiny, std::to_string(1.001 * both) + " FLOP"), 2u);
  EXPECT_EQ(paid(tiny, std::to_string(0.999 * both) + " FLOP"), 1u);
}

}  // namespace
}  // namespace bitlaw
