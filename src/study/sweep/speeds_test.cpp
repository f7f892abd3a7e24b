#include "sweep/speeds.h"

#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "base/parallel.h"
#include "record/beside_runs.h"
#include "runs/effort.h"
#include "sweep/study_for_tests.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKinds =
    "[[grid]]\n\"model.width\" = [32, 64, 128]\n\"recipe.weights\" = [\"16\", \"4\", \"6\"]\n";

// Stands for bitlaw: trains so many tokens a second, or waits for a minute.
LaunchOptions options_for(const StudyFolder& tiny, const std::string& script) {
  tiny.folder().write("program", "#!/bin/sh\n" + script + "\n");
  fs::permissions(tiny.folder() / "program", fs::perms::owner_all);
  return WorkOptions{
      .runs = tiny.runs(), .program = (tiny.folder() / "program").string(), .parallel = 2};
}
constexpr const char* kThousand = "echo '{\"tokens_per_second\": 1000}'";

TEST(Speeds, AreMeasuredOnceForEachKindAndKept) {
  const StudyFolder tiny(kKinds);
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  EXPECT_EQ(kinds_of(plan).size(), 6u) << "integers train equally fast, whatever their bits";
  EXPECT_FALSE(kept_speeds(tiny.runs(), 2));
  const auto speeds = calibrate(plan, options_for(tiny, kThousand));
  ASSERT_TRUE(speeds);
  EXPECT_EQ(speeds->kinds.size(), 6u);
  EXPECT_EQ(speeds->processor, processor_name());
  EXPECT_EQ(speeds->processes, 2);
  const auto kept = kept_speeds(tiny.runs(), 2);
  ASSERT_TRUE(kept);
  EXPECT_EQ(struct_to_json(*kept), struct_to_json(*speeds));
  EXPECT_EQ(kept_speeds(tiny.runs(), 1)->processes, 2) << "better than none";
  for (const auto& [kind, rate] : rates_from(*kept, plan)) EXPECT_DOUBLE_EQ(rate, 1000);
}

TEST(Speeds, OfManyKindsAreMeasuredForSomeOfAllSizes) {
  std::string widths;
  for (int width = 32; width <= 128; width += 4) widths += std::to_string(width) + ", ";
  const StudyFolder tiny("[[grid]]\n\"model.width\" = [" + widths + "]\n");
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  ASSERT_EQ(plan.runs.size(), 25u);
  LaunchOptions options = options_for(tiny, kThousand);
  options.parallel = 1;
  const auto speeds = calibrate(plan, options);
  ASSERT_TRUE(speeds);
  std::set<double> sizes;
  for (const MeasuredSpeed& speed : speeds->kinds) sizes.insert(speed.flops_per_token);
  EXPECT_EQ(sizes.size(), 12u);
  const auto flops = [](const PlannedRun& run) {
    return run.resolved.config.model.training_flops_per_token();
  };
  EXPECT_EQ(*sizes.begin(), flops(plan.runs.front()));
  EXPECT_EQ(*sizes.rbegin(), flops(plan.runs.back()));
  EXPECT_EQ(rates_from(*speeds, plan).size(), 25u);
}

TEST(Speeds, OfOtherMachinesAreNotThoseOfThisOne) {
  const StudyFolder tiny(kKinds);
  const MachineSpeeds other{
      .processor = "another", .cores = 64, .processes = 2, .kinds = {{"", 1, 1}}};
  fs::create_directories(tiny.runs());
  write_file_atomically(fs::path(tiny.runs()) / kSpeedsFile,
                        dump_json(Json{{"machines", Json::array({struct_to_json(other)})}}));
  EXPECT_FALSE(kept_speeds(tiny.runs(), 2));
  calibrate(plan_sweep(tiny.study(), tiny.runs()), options_for(tiny, kThousand));
  EXPECT_TRUE(kept_speeds(tiny.runs(), 2));
  EXPECT_NE(read_file(fs::path(tiny.runs()) / kSpeedsFile).find("another"), std::string::npos)
      << "it stays";
}

TEST(Speeds, OfKindsThatWereNotMeasuredFollowTheFlop) {
  const StudyFolder tiny(kKinds);
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  const auto flops = [&](size_t run) {
    return plan.runs[run].resolved.config.model.training_flops_per_token();
  };
  // The order of runs: widths 32, 64, 128, each with BF16, int4 and int6.
  const auto place = [&](int64_t width, const std::string& weights) {
    for (size_t i = 0; i < plan.runs.size(); ++i) {
      const TrainConfig& config = plan.runs[i].resolved.config;
      if (config.model.width == width && config.recipe.weights == weights) return i;
    }
    return plan.runs.size();
  };
  const size_t small = place(32, "bf16"), large = place(128, "bf16");
  const MachineSpeeds speeds{.kinds = {{speed_key(plan.runs[small]), flops(small), 900},
                                       {speed_key(plan.runs[large]), flops(large), 100}}};
  const Rates rates = rates_from(speeds, plan);
  EXPECT_EQ(rates.at(speed_key(plan.runs[small])), 900);
  EXPECT_EQ(rates.at(speed_key(plan.runs[large])), 100);
  const size_t other = place(32, "int4");
  EXPECT_DOUBLE_EQ(rates.at(speed_key(plan.runs[other])), 900) << "as many FLOP a second";
  const size_t middle = place(64, "bf16");
  EXPECT_DOUBLE_EQ(rates.at(speed_key(plan.runs[middle])) * flops(middle), 900 * flops(small));
}

TEST(Speeds, AreScaledFromTheSmallestRun) {
  const StudyFolder tiny(kKinds);
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  const Rates rates = rates_at(20'000, plan);
  for (const PlannedRun& run : plan.runs) {
    const double flops = run.resolved.config.model.training_flops_per_token();
    const double fewest = plan.runs[0].resolved.config.model.training_flops_per_token();
    EXPECT_DOUBLE_EQ(rates.at(speed_key(run)), 20'000 * fewest / flops);
  }
}

TEST(Speeds, ThatCannotBeMeasuredAreSaid) {
  const StudyFolder tiny(kTwoRuns);
  const SweepPlan plan = plan_sweep(tiny.study(), tiny.runs());
  EXPECT_EQ(error_of([&] { calibrate(plan, options_for(tiny, "echo no room; exit 1")); }),
            "measuring the speed failed: no room");
  std::atomic<bool> stop{true};
  LaunchOptions options = options_for(tiny, kThousand);
  options.stop = &stop;
  EXPECT_FALSE(calibrate(plan, options));
  EXPECT_FALSE(fs::exists(fs::path(tiny.runs()) / kSpeedsFile));
}

}  // namespace
}  // namespace bitlaw
