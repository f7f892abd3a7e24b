#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "fleet/halving.h"
#include "fleet/tune.h"
#include "record/result.h"
#include "record/tidy_row.h"
#include "record/tuning_marks.h"
#include "sweep/paths.h"
#include "sweep/study_for_tests.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// A launcher that trains nothing: losses are a quadratic of the rate, whose best value falls with the
// width, plus what fewer tokens cost and the luck of the seed. It notes each run in RUNS/said.
Launched launch_quadratic(const std::vector<Job>& jobs, const LaunchOptions& options) {
  Launched launched{outcomes_so_far(jobs, options.runs)};
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (launched.outcomes[i].state == JobState::kDone) continue;
    const Json& configuration = jobs[i].configuration;
    const double rate = find_path(configuration, "train.lr")->get<double>();
    const double width = find_path(configuration, "model.width")->get<double>();
    const Json* seed = find_path(configuration, "train.seed");
    const double off = std::log(rate / (0.32 / width));
    const double luck = seed == nullptr ? 0 : 1e-3 * std::sin(seed->get<double>() + rate);
    ResultRecord result{
        .status = RunStatus::kFinished, .validation = Validation{}, .training = TrainingResult{}};
    result.validation->loss_nats =
        3 + 0.1 * off * off + 100 / static_cast<double>(jobs[i].tokens) + luck;
    append_line(options.runs / "said", jobs[i].run);
    fs::create_directories(options.runs / jobs[i].run);
    write_result(options.runs / jobs[i].run, result);
    launched.outcomes[i].state = JobState::kDone;
  }
  return launched;
}

constexpr Launcher kQuadratic{
    .name = "quadratic", .help = "", .launch = launch_quadratic, .works_here = true};

constexpr const char* kTuned =
    "optimizer.batch_power = 0\nschedule.kind = \"wsd\"\nschedule.warmup_steps = 2\n"
    "train.tokens = 25_600\n"
    "[[grid]]\npoints = 64\n\"model.width\" = [32, 64]\n"
    "\"train.lr\" = { from = 1e-3, to = 0.1, scale = \"log\" }\n"
    "[[grid]]\n\"train.tokens\" = [51_200]\n";

TuneOptions options_for(const StudyFolder& tiny) {
  TuneOptions options;
  options.sweep.study = tiny.study();
  options.sweep.runs = tiny.runs();
  options.sweep.launcher = &kQuadratic;
  options.sweep.program = "bitlaw";
  options.sweep.quiet = true;
  return options;
}

size_t runs_said(const StudyFolder& tiny) {
  const std::string said = read_file(tiny.folder() / "runs/said");
  return static_cast<size_t>(std::count(said.begin(), said.end(), '\n'));
}

TEST(Halving, TheBetterHalfGoesOn) {
  std::vector<double> losses(20, 4);
  for (size_t i = 0; i < losses.size(); ++i) losses[i] -= 0.1 * static_cast<double>(i % 10);
  const std::vector<bool> goes_on = better_half(losses);
  EXPECT_EQ(std::count(goes_on.begin(), goes_on.end(), true), 10);
  EXPECT_TRUE(goes_on[9] && goes_on[19]);
  EXPECT_FALSE(goes_on[0] || goes_on[10]);
}

TEST(Halving, AtLeastEightGoOnAndNoneThatDiverged) {
  std::vector<double> losses(10, 4);
  losses[2] = losses[5] = losses[7] = std::numeric_limits<double>::infinity();
  const std::vector<bool> goes_on = better_half(losses);
  EXPECT_EQ(std::count(goes_on.begin(), goes_on.end(), true), 7);
  EXPECT_FALSE(goes_on[2]);
}

TEST(Tune, HalvesTwiceAndFindsTheBestRateOfEachSize) {
  const StudyFolder tiny(kTuned);
  const TuneResult result = tune(options_for(tiny));
  EXPECT_TRUE(result.complete);
  ASSERT_EQ(result.fleets.size(), 2u) << "a grid without ranges is no fleet";
  // 64, 32 and 16 of each, and the best three with two more seeds.
  EXPECT_EQ(runs_said(tiny), 2u * (64 + 32 + 16 + 3 * 2));
  for (size_t k = 0; k < 2; ++k) {
    const FleetReport& fleet = result.fleets[k];
    const double best = 0.32 / (k == 0 ? 32 : 64);
    EXPECT_EQ(fleet.configurations, 64);
    EXPECT_EQ(fleet.D, 25'600);
    ASSERT_EQ(fleet.best.size(), 1u);
    EXPECT_NEAR(std::log(fleet.best[0].value / best), 0, 0.2);
    ASSERT_EQ(fleet.rungs.size(), 3u);
    EXPECT_EQ(fleet.rungs[0].D, 6'400);
    EXPECT_EQ(fleet.rungs[1].configurations, 32);
    const AxisOptimum& rate = fleet.rungs[0].surface.axes.at(0);
    EXPECT_EQ(rate.missing, "");
    EXPECT_NEAR(std::log(rate.best.value / best), 0, 0.05);
    EXPECT_GT(fleet.noise, 0);
    EXPECT_NEAR(fleet.replicated_loss, 3 + 100.0 / 25'600, 5e-3);
  }
  ASSERT_EQ(result.rules.size(), 1u);
  EXPECT_EQ(result.rules[0].missing, "");
  EXPECT_LT(result.rules[0].of_N.high, 0) << "it falls with size";
}

TEST(Tune, GoesOnWhereItWasAndMarksItsRuns) {
  const StudyFolder tiny(kTuned);
  TuneOptions options = options_for(tiny);
  const TuneResult first = tune(options);
  const size_t runs = runs_said(tiny);
  options.sweep.look_only = true;
  EXPECT_EQ(struct_to_json(tune(options)), struct_to_json(first)) << "looking says the same";
  options.sweep.look_only = false;
  tune(options);
  EXPECT_EQ(runs_said(tiny), runs) << "nothing was left";
  EXPECT_EQ(tuning_runs(tiny.runs()).size(), runs);
}

TEST(Tune, LookingBeforeAnythingWasStartedSaysThatNothingIsThere) {
  const StudyFolder tiny(kTuned);
  TuneOptions options = options_for(tiny);
  options.sweep.look_only = true;
  const TuneResult result = tune(options);
  EXPECT_FALSE(result.complete);
  EXPECT_TRUE(std::isnan(result.fleets.at(0).best_loss));
  EXPECT_FALSE(fs::exists(tiny.runs()));
}

TEST(Tune, WithoutHalvingsTheTailSaysWhetherItIsEnough) {
  const StudyFolder tiny(kTuned);
  TuneOptions options = options_for(tiny);
  options.halvings = 0;
  const TuneResult result = tune(options);
  EXPECT_EQ(runs_said(tiny), 2u * (64 + 3 * 2));
  const TailFit& tail = result.fleets[0].tail;
  EXPECT_EQ(tail.missing, "");
  EXPECT_EQ(tail.configurations, 64);
  // One dimension, hardly any noise: 64 points are more than enough.
  EXPECT_TRUE(tail.enough) << dump_json(struct_to_json(tail));
}

TEST(Tune, AStudyWithoutRangesIsRefused) {
  const StudyFolder tiny(kTwoRuns);
  try {
    tune(options_for(tiny));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("nothing to tune"), std::string::npos) << error.what();
  }
}

// On another machine, the runs of a published table are not made again, and the answer is the same.
TEST(Tune, GoesOnFromAPublishedTable) {
  const StudyFolder tiny(kTuned);
  TuneOptions options = options_for(tiny);
  const TuneResult first = tune(options);
  const size_t runs = runs_said(tiny);
  std::vector<TidyRow> rows;
  for (const auto& entry : fs::directory_iterator(tiny.runs())) {
    if (!entry.is_directory()) continue;
    const std::optional<ResultRecord> result = read_result(entry.path());
    if (!result) continue;
    TidyRow& row = rows.emplace_back();
    row.run = entry.path().filename().string();
    row.status = "finished", row.method = "none";
    row.loss = result->validation->loss_nats;
  }
  ASSERT_EQ(rows.size(), runs);
  rows.resize(runs / 2);
  const fs::path table = tiny.folder() / "tuning.csv";
  write_file_atomically(table, tidy_to_csv(rows));
  fs::remove_all(tiny.runs());
  options.have = {table.string()};
  const TuneResult again = tune(options);
  EXPECT_EQ(runs_said(tiny), runs - rows.size());
  EXPECT_EQ(struct_to_json(again).at("fleets"), struct_to_json(first).at("fleets"));

  write_file_atomically(table, "N,D,loss\n1,2,3\n");
  EXPECT_THROW(tune(options), Error);
}

}  // namespace
}  // namespace bitlaw
