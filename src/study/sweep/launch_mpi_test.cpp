// With a script for mpirun. tests/cluster runs a pool of real ranks.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "sweep/launcher.h"
#include "work/jobs_for_tests.h"

namespace bitlaw {
namespace {

class LaunchMpi : public testing::Test, protected ScriptedJobs {
 protected:
  LaunchMpi() { add("a", "true"); }
  LaunchOptions options(const std::string& mpirun) {
    folder().write("mpirun", "#!/bin/sh\n" + mpirun + "\n");
    std::filesystem::permissions(folder() / "mpirun", std::filesystem::perms::owner_all);
    LaunchOptions options(ScriptedJobs::options(1));
    options.cluster.ranks = 3;
    options.cluster.mpirun = (folder() / "mpirun").string() + " --oversubscribe";
    return options;
  }
};

TEST_F(LaunchMpi, StartsWorkersAsRanks) {
  const std::string said = folder() / "said";
  const Launched launched =
      launch_mpi(jobs, options("echo \"$@\" > " + said + "; " + finishing("a")));
  EXPECT_EQ(trim(read_file(said)), "--oversubscribe -n 3 " + program() + " work " +
                                       runs().string() +
                                       " --jobs 1 --stay --failed-status 0 --quiet");
  EXPECT_EQ(launched.outcomes[0].state, JobState::kDone);
  EXPECT_EQ(launched.trouble, "");
}

TEST_F(LaunchMpi, AFailureOfMpirunIsTroubleAndFailsNoJob) {
  const Launched launched = launch_mpi(jobs, options("echo no slots; exit 1"));
  EXPECT_EQ(launched.outcomes[0].state, JobState::kWaiting);
  EXPECT_NE(launched.trouble.find("ended with status 1"), std::string::npos);
  EXPECT_NE(launched.trouble.find("logs/mpi.log"), std::string::npos);
  EXPECT_EQ(read_file(runs() / "logs/mpi.log"), "no slots\n");
}

TEST_F(LaunchMpi, AStopIsPassedOn) {
  std::atomic<bool> stop{false};
  const std::filesystem::path ready = folder() / "ready";
  LaunchOptions given = options("trap 'echo stopped; exit 0' USR1; touch " + ready.string() +
                                "; while true; do sleep 0.02; done");
  given.stop = &stop;
  std::thread stopper([&] {
    while (!std::filesystem::exists(ready))
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    stop = true;
  });
  const Launched launched = launch_mpi(jobs, given);
  stopper.join();
  EXPECT_EQ(launched.outcomes[0].state, JobState::kWaiting);
  EXPECT_EQ(launched.trouble, "");
  EXPECT_EQ(read_file(runs() / "logs/mpi.log"), "stopped\n");
}

TEST_F(LaunchMpi, WhatIsMissingIsSaid) {
  LaunchOptions given(ScriptedJobs::options(1));
  EXPECT_NE(error_of([&] { launch_mpi(jobs, given); }).find("Say --ranks N"), std::string::npos);
  given.cluster.ranks = 2;
  given.cluster.mpirun = "no-such-mpirun -x";
  EXPECT_NE(error_of([&] { launch_mpi(jobs, given); }).find("no-such-mpirun: not found; load"),
            std::string::npos);
}

}  // namespace
}  // namespace bitlaw
