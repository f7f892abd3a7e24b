#include "sweep/launcher.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class Launcher : public testing::Test {
 protected:
  Launcher() : folder_(fs::path(testing::TempDir()) / ("launcher" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    make_directories(folder_);
  }
  ~Launcher() override { fs::remove_all(folder_); }

  Job job(const std::string& name, const std::string& script) {
    Job job{name, {"/bin/sh", "-c", script}, folder_ / (name + ".log")};
    return job;
  }
  LaunchOptions quiet(int parallel = 2) { return {.parallel = parallel, .quiet = true}; }
  fs::path folder_;
};

TEST_F(Launcher, RunsEveryJobAndKeepsItsOutput) {
  const auto outcomes = launch_local({job("a", "echo one"), job("b", "echo two >&2")}, quiet());
  EXPECT_EQ(outcomes[0].state, JobState::kDone);
  EXPECT_EQ(outcomes[1].state, JobState::kDone);
  EXPECT_EQ(read_file(folder_ / "a.log"), "one\n");
  EXPECT_EQ(read_file(folder_ / "b.log"), "two\n");
}

TEST_F(Launcher, AFailureIsKeptAndStopsNobodyElse) {
  std::vector<Job> jobs{job("bad", "echo reason; exit 3"), job("good", "true"),
                        job("waits", "true"), job("killed", "kill -9 $$"), job("absent", "")};
  jobs[2].after = 0;
  jobs[4].command = {(folder_ / "no-such-program").string()};
  const auto outcomes = launch_local(jobs, quiet());
  EXPECT_EQ(outcomes[0].state, JobState::kFailed);
  EXPECT_EQ(outcomes[0].exit_code, 3);
  EXPECT_EQ(outcomes[0].message, "reason");
  EXPECT_EQ(outcomes[1].state, JobState::kDone);
  EXPECT_EQ(outcomes[2].state, JobState::kSkipped);
  EXPECT_EQ(outcomes[3].exit_code, 128 + 9);
  EXPECT_EQ(outcomes[4].state, JobState::kFailed);
  EXPECT_NE(outcomes[4].message.find("cannot be started"), std::string::npos);
}

TEST_F(Launcher, WaitsForWhatComesBefore) {
  const std::string file = (folder_ / "made").string();
  std::vector<Job> jobs{job("second", "test -e " + file), job("first", "sleep 0.2; touch " + file)};
  jobs[0].after = 1;
  jobs[0].cost = 100;  // would be first in the queue
  const auto outcomes = launch_local(jobs, quiet());
  EXPECT_EQ(outcomes[0].state, JobState::kDone);
}

TEST_F(Launcher, DoesNotStartWhatIsDone) {
  std::vector<Job> jobs{job("a", "exit 1")};
  jobs[0].done = [] { return true; };
  EXPECT_EQ(launch_local(jobs, quiet())[0].state, JobState::kDone);
  EXPECT_FALSE(fs::exists(folder_ / "a.log"));
}

TEST(PlannedDuration, FollowsTheLaunchersOrder) {
  const auto jobs = [](std::vector<std::pair<double, int>> costs) {
    std::vector<Job> out;
    for (const auto& [cost, after] : costs) {
      out.emplace_back();
      out.back().cost = cost;
      out.back().after = after;
    }
    return out;
  };
  EXPECT_EQ(planned_duration({}, 2), 0);
  EXPECT_EQ(planned_duration(jobs({{3, -1}, {2, -1}, {2, -1}}), 1), 7);
  EXPECT_EQ(planned_duration(jobs({{3, -1}, {2, -1}, {2, -1}}), 2), 4);
  EXPECT_EQ(planned_duration(jobs({{3, -1}, {2, -1}, {2, -1}}), 8), 3) << "the longest job";
  EXPECT_EQ(planned_duration(jobs({{1, -1}, {1, -1}, {5, -1}}), 2), 5) << "longest first";
  EXPECT_EQ(planned_duration(jobs({{5, -1}, {4, 0}}), 8), 9) << "one waits for the other";
  EXPECT_EQ(planned_duration(jobs({{5, -1}, {4, 0}, {1, -1}, {3, -1}}), 2), 9);
}

TEST_F(Launcher, StopAsksRunningJobsToEndAndStartsNoOther) {
  std::atomic<bool> stop{false};
  std::vector<Job> jobs{
      job("long", "trap 'echo saved; exit 130' TERM; touch " + (folder_ / "up").string() +
                      "; while true; do sleep 0.05; done"),
      job("next", "true")};
  jobs[0].cost = 2;
  LaunchOptions options = quiet(1);
  options.stop = &stop;
  std::thread stopper([&] {
    while (!fs::exists(folder_ / "up")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    stop = true;
  });
  const auto outcomes = launch_local(jobs, options);
  stopper.join();
  EXPECT_EQ(outcomes[0].state, JobState::kWaiting);
  EXPECT_EQ(outcomes[1].state, JobState::kWaiting);
  EXPECT_EQ(read_file(folder_ / "long.log"), "saved\n");
  EXPECT_FALSE(fs::exists(folder_ / "next.log"));
}

}  // namespace
}  // namespace bitlaw
