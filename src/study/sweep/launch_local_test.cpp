#include <gtest/gtest.h>

#include <thread>

#include "base/file.h"
#include "sweep/jobs_for_tests.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class LaunchLocal : public testing::Test, protected ScriptedJobs {
 protected:
  std::vector<JobOutcome> launch(const LaunchOptions& options) {
    return launch_local(jobs, options).outcomes;
  }
  std::string log(size_t job) const { return read_file(job_log(jobs[job], runs())); }
  bool has_log(size_t job) const { return fs::exists(job_log(jobs[job], runs())); }
};

TEST_F(LaunchLocal, RunsEveryJobAndKeepsItsOutput) {
  add("a", "echo one");
  add("b", "echo two >&2");
  const auto outcomes = launch(options());
  EXPECT_EQ(outcomes[0].state, JobState::kDone);
  EXPECT_EQ(outcomes[1].state, JobState::kDone);
  EXPECT_EQ(log(0), "one\n");
  EXPECT_EQ(log(1), "two\n");
}

TEST_F(LaunchLocal, AFailureIsKeptAndStopsOnlyWhatWaitsForIt) {
  add("bad", "echo reason; exit 3");
  add("good", "true");
  add("bad", "true", 0);
  add("killed", "kill -9 $$");
  const auto outcomes = launch(options());
  EXPECT_EQ(outcomes[0].state, JobState::kFailed);
  EXPECT_EQ(outcomes[0].exit_code, 3);
  EXPECT_EQ(outcomes[0].message, "reason");
  EXPECT_EQ(outcomes[1].state, JobState::kDone);
  EXPECT_EQ(outcomes[2].state, JobState::kSkipped);
  EXPECT_EQ(outcomes[3].exit_code, 128 + 9);
}

TEST_F(LaunchLocal, AProgramThatIsNotThereFails) {
  add("a", "true");
  LaunchOptions absent = options();
  absent.program = (folder() / "no-such-program").string();
  const auto outcomes = launch(absent);
  EXPECT_EQ(outcomes[0].state, JobState::kFailed);
  EXPECT_NE(outcomes[0].message.find("cannot be started"), std::string::npos);
}

TEST_F(LaunchLocal, WaitsForWhatComesBefore) {
  const std::string file = (folder() / "made").string();
  add("a", "sleep 0.2; touch " + file);
  add("a", "test -e " + file, 0);
  jobs[1].cost = 100;  // would be first in the queue
  const auto outcomes = launch(options());
  EXPECT_EQ(outcomes[0].state, JobState::kDone);
  EXPECT_EQ(outcomes[1].state, JobState::kDone);
}

TEST_F(LaunchLocal, ABranchStartsWhenItsTrunkHasComeThere) {
  const fs::path there = runs() / "trunks/t/step-4", branched = folder() / "branched";
  add("trunk", "mkdir -p " + there.string() + "; while ! test -e " + branched.string() +
                   "; do sleep 0.01; done");
  add("branch", "test -e " + there.string() + " && touch " + branched.string());
  jobs[1].trunk = 0;
  jobs[1].trunk_state = "trunks/t/step-4";
  jobs[1].cost = 100;  // would be first in the queue
  const auto outcomes = launch(options());
  EXPECT_EQ(outcomes[0].state, JobState::kDone);
  EXPECT_EQ(outcomes[1].state, JobState::kDone);
}

TEST_F(LaunchLocal, ABranchOfATrunkThatFailedTrainsAlone) {
  add("trunk", "exit 1");
  add("branch", "true");
  jobs[1].trunk = 0;
  jobs[1].trunk_state = "trunks/t/step-4";
  const auto outcomes = launch(options());
  EXPECT_EQ(outcomes[0].state, JobState::kFailed);
  EXPECT_EQ(outcomes[1].state, JobState::kDone);
}

TEST_F(LaunchLocal, DoesNotStartWhatIsDone) {
  add("a", "exit 1");
  write_result(directory("a"), {.status = RunStatus::kDiverged});
  EXPECT_EQ(launch(options())[0].state, JobState::kDone);
  EXPECT_FALSE(has_log(0));
}

TEST_F(LaunchLocal, ARunThatDivergesIsNotQuantized) {
  add("a", finishing("a"));
  add("a", "exit 1", 0);
  const auto outcomes = launch(options());
  EXPECT_EQ(outcomes[0].state, JobState::kDone);
  EXPECT_EQ(outcomes[1].state, JobState::kDone);
  EXPECT_FALSE(has_log(1));
}

TEST_F(LaunchLocal, StopAsksRunningJobsToEndAndStartsNoOther) {
  std::atomic<bool> stop{false};
  const fs::path up = folder() / "up";
  add("long", "trap 'echo saved; exit 130' TERM; touch " + up.string() +
                  "; while true; do sleep 0.05; done");
  add("next", "true");
  jobs[0].cost = 2;
  LaunchOptions one = options(1);
  one.stop = &stop;
  std::thread stopper([&] {
    while (!fs::exists(up)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    stop = true;
  });
  const auto outcomes = launch(one);
  stopper.join();
  EXPECT_EQ(outcomes[0].state, JobState::kWaiting);
  EXPECT_EQ(outcomes[1].state, JobState::kWaiting);
  EXPECT_EQ(log(0), "saved\n");
  EXPECT_FALSE(has_log(1));
}

}  // namespace
}  // namespace bitlaw
