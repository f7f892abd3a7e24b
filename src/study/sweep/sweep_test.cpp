#include "sweep/sweep.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "record/result.h"
#include "runs/effort.h"
#include "sweep/study_for_tests.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// A launcher that trains nothing: it notes the command of each job in RUNS/said and leaves the result
// that training would leave.
Launched launch_fake(const std::vector<Job>& jobs, const LaunchOptions& options) {
  Launched launched{outcomes_so_far(jobs, options.runs), "all is said"};
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (launched.outcomes[i].state != JobState::kWaiting) continue;
    const std::vector<std::string> command = job_command(jobs[i], options.runs, options.program);
    append_line(options.runs / "said", command[0] + " " + command[1] + " " + jobs[i].run);
    if (jobs[i].kind != JobKind::kTrain) continue;
    EXPECT_GT(jobs[i].memory_bytes, 0);
    EXPECT_TRUE(fs::exists(command[2])) << "the configuration is there";
    write_result(options.runs / jobs[i].run, {.status = RunStatus::kDiverged});
    launched.outcomes[i].state = JobState::kDone;
  }
  return launched;
}

Launched launch_here(const std::vector<Job>& jobs, const LaunchOptions& options) {
  for (const Job& job : jobs)
    write_result(options.runs / job.run, {.status = RunStatus::kDiverged});
  return {outcomes_so_far(jobs, options.runs), ""};
}

Launched launch_failing(const std::vector<Job>& jobs, const LaunchOptions&) {
  Launched launched{std::vector<JobOutcome>(jobs.size()), ""};
  launched.outcomes[0] = {JobState::kFailed, 3, "no room"};
  launched.outcomes[1].state = JobState::kSkipped;
  return launched;
}

constexpr Launcher kFake{.name = "fake", .help = "", .launch = launch_fake};

SweepOptions options_for(const StudyFolder& tiny, const Launcher& launcher) {
  SweepOptions options;
  options.study = tiny.study();
  options.runs = tiny.runs();
  options.launcher = &launcher;
  options.program = "bitlaw";
  options.quiet = true;
  return options;
}

TEST(Sweep, AnyLauncherCanDoItsJobs) {
  const StudyFolder tiny(kTwoRuns);
  const SweepOptions options = options_for(tiny, kFake);
  const SweepResult first = sweep(options);
  EXPECT_EQ(first.study, "tiny");
  EXPECT_EQ(first.runs, tiny.runs());
  EXPECT_EQ(first.jobs, 3);
  EXPECT_EQ(first.done, 2);
  EXPECT_EQ(first.waiting, 1);
  EXPECT_EQ(first.note, "all is said");
  ASSERT_EQ(first.cells.size(), 2u);
  for (const SweepCell& cell : first.cells) EXPECT_EQ(cell.status, "diverged");
  const std::string a = first.cells[0].run, b = first.cells[1].run;
  EXPECT_EQ(read_file(tiny.folder() / "runs/said"),
            "bitlaw train " + a + "\nbitlaw quantize " + a + "\nbitlaw train " + b + "\n");

  const SweepResult second = sweep(options);
  EXPECT_EQ(second.done, 3) << "a run that diverged is not quantized";
  EXPECT_EQ(struct_to_json(second)["cells"], struct_to_json(first)["cells"]);
}

TEST(Sweep, TimeIsKeptOfWorkOnThisMachineAlone) {
  const StudyFolder tiny(kTwoRuns);
  sweep(options_for(tiny, kFake));
  EXPECT_EQ(read_effort(tiny.runs()).size(), 0u);
  const StudyFolder other(kTwoRuns);
  const Launcher here{.name = "here", .help = "", .launch = launch_here, .works_here = true};
  sweep(options_for(other, here));
  EXPECT_EQ(read_effort(other.runs()).size(), 1u);
  sweep(options_for(other, here));
  EXPECT_EQ(read_effort(other.runs()).size(), 1u) << "nothing was left";
}

TEST(Sweep, ModelsAskedForAfterTheEndAreSaid) {
  const StudyFolder tiny(kTwoRuns);
  SweepOptions options = options_for(tiny, kFake);
  options.look_only = true;
  for (const SweepCell& cell : sweep(options).cells) {
    const fs::path run = fs::path(tiny.runs()) / cell.run;
    fs::create_directories(run);
    write_result(
        run,
        {.status = RunStatus::kFinished, .validation = Validation{}, .training = TrainingResult{}});
  }
  std::string said;
  const auto keep = [&](const std::string& sentence) { said += sentence + "\n"; };
  sweep(options, keep);
  EXPECT_EQ(said.find("models along them"), said.npos) << said;
  options.study.push_back("checkpoints=2");
  sweep(options, keep);
  EXPECT_NE(said.find("note: 2 of 2 runs have finished without all models along them"), said.npos)
      << said;
}

TEST(Sweep, ADamagedResultCostsItsOwnCellAlone) {
  const StudyFolder tiny(kTwoRuns);
  SweepOptions options = options_for(tiny, kFake);
  options.look_only = true;
  const SweepResult before = sweep(options);
  const auto quantized = std::find_if(before.cells.begin(), before.cells.end(),
                                      [](const SweepCell& cell) { return cell.quantize; });
  ASSERT_NE(quantized, before.cells.end());
  const fs::path file = fs::path(tiny.runs()) / quantized->run / "result.json";
  write_file_atomically(file, "{\"status\": \"fin");
  const auto expect_one_failure = [&](const SweepResult& result) {
    EXPECT_EQ(result.failed + result.skipped, 2) << "it is not quantized";
    ASSERT_FALSE(result.failures.empty());
    EXPECT_EQ(result.failures[0].message.find(file.string() + ": not valid JSON"), 0u)
        << result.failures[0].message;
    for (const SweepCell& cell : result.cells)
      EXPECT_EQ(cell.status == "damaged", cell.run == quantized->run) << cell.status;
  };
  expect_one_failure(sweep(options));
  options.look_only = false;
  const SweepResult after = sweep(options);
  expect_one_failure(after);
  EXPECT_EQ(after.done, 1) << "the other run is trained";
  EXPECT_EQ(read_file(file), "{\"status\": \"fin") << "nothing is overwritten";
}

TEST(Sweep, LookingChangesNothing) {
  const StudyFolder tiny(kTwoRuns);
  SweepOptions options = options_for(tiny, kFake);
  options.look_only = true;
  const SweepResult result = sweep(options);
  EXPECT_EQ(result.waiting, 3);
  for (const SweepCell& cell : result.cells) EXPECT_EQ(cell.status, "waiting");
  EXPECT_FALSE(fs::exists(tiny.runs()));
  // A time does not make it measure.
  options.minutes = 0.1;
  std::string said;
  EXPECT_EQ(sweep(options, [&](const std::string& sentence) { said += sentence; }).scale, 1);
  EXPECT_NE(said.find("measured when the sweep starts"), std::string::npos) << said;
  EXPECT_FALSE(fs::exists(tiny.runs()));
}

TEST(Sweep, TextThatRepeatsIsSaidBeforeItStarts) {
  const StudyFolder tiny("[[grid]]\n\"train.tokens\" = [2_560, 51_200]\n");
  SweepOptions options = options_for(tiny, kFake);
  options.look_only = true;
  std::string said;
  sweep(options, [&](const std::string& sentence) { said += sentence + "\n"; });
  EXPECT_NE(said.find("note: text repeats in 1 of 2 runs, up to 3."), said.npos) << said;
  EXPECT_NE(said.find("note: fewer than 1000 steps in 2 of 2 runs, 10 in the shortest: "),
            said.npos)
      << said;
}

TEST(Sweep, FailuresAreCountedAndNamed) {
  const StudyFolder tiny(kTwoRuns);
  const Launcher failing{.name = "failing", .help = "", .launch = launch_failing};
  const SweepResult result = sweep(options_for(tiny, failing));
  EXPECT_EQ(result.failed, 1);
  EXPECT_EQ(result.skipped, 1);
  EXPECT_EQ(result.waiting, 1);
  ASSERT_EQ(result.failures.size(), 1u);
  EXPECT_EQ(result.failures[0].job, "recipe.weights=16 train.tokens=25600");
  EXPECT_EQ(result.failures[0].exit_code, 3);
  EXPECT_EQ(result.failures[0].message, "no room");
  EXPECT_EQ(result.failures[0].log, tiny.runs() + "/logs/" + result.cells[0].run + ".log");
}

TEST(Sweep, CellsThatAreNotSelectedHaveNoJobs) {
  const StudyFolder tiny(kTwoRuns);
  SweepOptions options = options_for(tiny, kFake);
  options.look_only = options.forecast = true;
  EXPECT_EQ(sweep(options).jobs, 3);
  options.selection.only = {"P_w=4"};
  const SweepResult one = sweep(options);
  EXPECT_EQ(one.jobs, 1);
  ASSERT_EQ(one.cells.size(), 1u);
  ASSERT_TRUE(one.forecast);
  EXPECT_EQ(one.forecast->cells, 1);
  EXPECT_TRUE(one.forecast->speeds.empty());
  options.selection.rate = 1000;
  EXPECT_GT(sweep(options).forecast->seconds_left, 25);

  tiny.folder().write("table.csv", "run,status\n" + one.cells[0].run + ",finished\n");
  options.selection = {.have = {(tiny.folder() / "table.csv").string()}};
  const SweepResult rest = sweep(options);
  EXPECT_EQ(rest.jobs, 2);
  EXPECT_EQ(rest.cells[1].status, "in table");
  EXPECT_EQ(rest.forecast->cells_in_tables, 1);
  EXPECT_FALSE(fs::exists(tiny.runs())) << "looking changes nothing";
}

TEST(Sweep, ABudgetOfTheStudyIsReplacedByThatOfTheCommandLine) {
  const StudyFolder tiny("[[grid]]\n\"train.tokens\" = [25_600, 51_200, 12_800]\n");
  SweepOptions options = options_for(tiny, kFake);
  options.study.push_back("budget=\"60 s\"");
  options.look_only = true;
  std::string said;
  const auto cells = [&] {
    said.clear();
    return sweep(options, [&](const std::string& sentence) { said += sentence + "\n"; })
        .cells.size();
  };
  EXPECT_EQ(cells(), 3u);
  EXPECT_NE(said.find("the budget of 60 s pays for is measured when the sweep starts"), said.npos)
      << said;
  options.selection.rate = 1000;
  options.jobs = 1;
  EXPECT_EQ(cells(), 1u);
  EXPECT_NE(said.find("note: the budget of 60 s pays for the first 1 of 3 cells, which take"),
            said.npos)
      << said;
  options.selection.only = {"D>3e4"};
  EXPECT_NE(error_of([&] { cells(); }).find("--only 'D>3e4': holds for none of the 1 cells"),
            said.npos);
  options.selection.budget = "70 s";
  EXPECT_EQ(cells(), 1u) << "of those that are selected";
  options.minutes = 1;
  EXPECT_NE(error_of([&] { cells(); }).find("leave one out"), said.npos);
}

// Stands for bitlaw: trains 1000 tokens a second, and has to know nothing else.
std::string measuring_program(const TestFolder& folder) {
  folder.write("program", "#!/bin/sh\necho '{\"tokens_per_second\": 1000}'\n");
  fs::permissions(folder / "program", fs::perms::owner_all);
  return (folder / "program").string();
}

TEST(Sweep, MinutesShrinkTheTokensOnceForADirectory) {
  const StudyFolder tiny("[[grid]]\n\"train.tokens\" = [256_000]\n");
  SweepOptions options = options_for(tiny, kFake);
  options.program = measuring_program(tiny.folder());
  options.minutes = 2;
  std::string notes;
  const SweepNote note = [&](const std::string& sentence) { notes += sentence; };
  const SweepResult first = sweep(options, note);
  EXPECT_NE(notes.find("measuring the speed"), std::string::npos);
  // 256 s of training and 1 s of validation; the minutes have 120, and measuring takes its part.
  EXPECT_GT(first.scale, 0.3);
  EXPECT_LT(first.scale, 0.47);
  EXPECT_EQ(first.cells[0].D / 256, static_cast<int64_t>(first.scale * 1000));

  notes.clear();
  const SweepResult second = sweep(options, note);
  EXPECT_EQ(notes.find("measuring"), std::string::npos) << notes;
  EXPECT_EQ(second.scale, first.scale);
  EXPECT_EQ(second.cells[0].run, first.cells[0].run);

  options.minutes = 0.01;
  EXPECT_EQ(sweep(options, note).cells[0].D, 2560) << "ten steps";
  EXPECT_NE(notes.find("the smallest study of this design takes"), std::string::npos) << notes;
}

TEST(Sweep, AStopWhileMeasuringStartsNothing) {
  const StudyFolder tiny(kTwoRuns);
  std::atomic<bool> stop{true};
  SweepOptions options = options_for(tiny, kFake);
  options.program = measuring_program(tiny.folder());
  options.minutes = 1;
  options.stop = &stop;
  const SweepResult result = sweep(options);
  EXPECT_EQ(result.waiting, 3);
  EXPECT_FALSE(fs::exists(tiny.folder() / "runs/said"));
  EXPECT_FALSE(fs::exists(tiny.folder() / "runs/study.json"));
}

}  // namespace
}  // namespace bitlaw
