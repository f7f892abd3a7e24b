#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"
#include "base/temporary.h"
#include "work/claim.h"
#include "work/failure.h"
#include "work/jobs_for_tests.h"
#include "work/worker.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class WorkerTest : public testing::Test, protected ScriptedJobs {
 protected:
  std::vector<JobOutcome> launch(const WorkOptions& options) {
    return work(jobs, options).outcomes;
  }
  std::string log(size_t job) const { return read_file(job_log(jobs[job], runs())); }
  bool has_log(size_t job) const { return fs::exists(job_log(jobs[job], runs())); }
};

TEST_F(WorkerTest, RunsEveryJobAndKeepsItsOutput) {
  add("a", "echo one");
  add("b", "echo two >&2");
  const auto outcomes = launch(options());
  EXPECT_EQ(outcomes[0].state, JobState::kDone);
  EXPECT_EQ(outcomes[1].state, JobState::kDone);
  EXPECT_EQ(log(0), "one\n");
  EXPECT_EQ(log(1), "two\n");
}

TEST_F(WorkerTest, AFailureIsKeptAndStopsOnlyWhatWaitsForIt) {
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

TEST_F(WorkerTest, LeavesARunOfAnotherEngineToWorkersThatHaveIt) {
  add("begun", "echo 'bitlaw: state.bin: was computed by the engine amx'; exit 76");
  add("begun", "true", 0);
  add("branch", "true");
  jobs[2].trunk = 0;
  jobs[2].trunk_state = "trunks/t/step-4";
  add("good", "true");
  const Worked worked = work(jobs, options());
  EXPECT_EQ(worked.outcomes[0].state, JobState::kWaiting);
  EXPECT_EQ(worked.outcomes[1].state, JobState::kWaiting);
  EXPECT_EQ(worked.outcomes[2].state, JobState::kWaiting);
  EXPECT_EQ(worked.outcomes[3].state, JobState::kDone);
  EXPECT_NE(worked.note.find("1 of 4 jobs can go on only where they were begun: "),
            std::string::npos)
      << worked.note;
  EXPECT_NE(worked.note.find("was computed by the engine amx"), std::string::npos);
  EXPECT_FALSE(read_failure(jobs[0], runs()));
}

TEST_F(WorkerTest, AProgramThatIsNotThereFails) {
  add("a", "true");
  WorkOptions absent = options();
  absent.program = (folder() / "no-such-program").string();
  const auto outcomes = launch(absent);
  EXPECT_EQ(outcomes[0].state, JobState::kFailed);
  EXPECT_NE(outcomes[0].message.find("cannot be started"), std::string::npos);
}

TEST_F(WorkerTest, WaitsForWhatComesBefore) {
  const std::string file = (folder() / "made").string();
  add("a", "sleep 0.2; touch " + file);
  add("a", "test -e " + file, 0);
  jobs[1].cost = 100;  // would be first in the queue
  const auto outcomes = launch(options());
  EXPECT_EQ(outcomes[0].state, JobState::kDone);
  EXPECT_EQ(outcomes[1].state, JobState::kDone);
}

TEST_F(WorkerTest, ABranchStartsWhenItsTrunkHasComeThere) {
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

TEST_F(WorkerTest, ABranchOfATrunkThatFailedTrainsAlone) {
  add("trunk", "exit 1");
  add("branch", "true");
  jobs[1].trunk = 0;
  jobs[1].trunk_state = "trunks/t/step-4";
  const auto outcomes = launch(options());
  EXPECT_EQ(outcomes[0].state, JobState::kFailed);
  EXPECT_EQ(outcomes[1].state, JobState::kDone);
}

TEST_F(WorkerTest, DoesNotStartWhatIsDone) {
  add("a", "exit 1");
  write_result(directory("a"), {.status = RunStatus::kDiverged});
  EXPECT_EQ(launch(options())[0].state, JobState::kDone);
  EXPECT_FALSE(has_log(0));
}

TEST_F(WorkerTest, ARunThatDivergesIsNotQuantized) {
  add("a", finishing("a"));
  add("a", "exit 1", 0);
  const auto outcomes = launch(options());
  EXPECT_EQ(outcomes[0].state, JobState::kDone);
  EXPECT_EQ(outcomes[1].state, JobState::kDone);
  EXPECT_FALSE(has_log(1));
}

TEST_F(WorkerTest, StopAsksRunningJobsToEndAndStartsNoOther) {
  std::atomic<bool> stop{false};
  const fs::path up = folder() / "up";
  add("long", "trap 'echo saved; exit 130' TERM; touch " + up.string() +
                  "; while true; do sleep 0.05; done");
  add("next", "true");
  jobs[0].cost = 2;
  WorkOptions one = options(1);
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

TEST_F(WorkerTest, AFailureIsKeptForOtherWorkersUntilItIsForgotten) {
  add("a", "echo reason; exit 3");
  launch(options());
  fs::remove_all(runs() / "logs");
  const auto again = launch(options());
  EXPECT_EQ(again[0].state, JobState::kFailed);
  EXPECT_EQ(again[0].exit_code, 3);
  EXPECT_EQ(again[0].message, "reason");
  EXPECT_FALSE(has_log(0)) << "it was not tried again";
  EXPECT_TRUE(forget_failure(jobs[0], runs()));
  folder().write("a.sh", "true");
  EXPECT_EQ(launch(options())[0].state, JobState::kDone);
}

TEST_F(WorkerTest, ABusyRunIsTriedLater) {
  add("a", "test -e " + (folder() / "free").string() + " || { touch " +
               (folder() / "free").string() + "; exit 75; }");
  EXPECT_EQ(launch(options())[0].state, JobState::kDone);
}

TEST_F(WorkerTest, AFullDiskStopsTheWorkerAndFailsNoJob) {
  add("a", "echo 'runs/a: cannot be written: No space left on device'; exit 1");
  add("b", "true");
  const Worked worked = work(jobs, options(1));
  EXPECT_EQ(worked.outcomes[0].state, JobState::kWaiting);
  EXPECT_NE(worked.trouble.find("No space left on device"), std::string::npos) << worked.trouble;
  EXPECT_EQ(outcome_so_far(jobs[0], runs()).state, JobState::kWaiting);
  EXPECT_FALSE(has_log(1));
}

TEST_F(WorkerTest, AJobWhoseResultIsThereIsDoneHoweverItsProcessEnded) {
  add("a", finishing("a") + "; mkdir -p " + directory("a") + "/checkpoints/state; kill -9 $$");
  add("b", finishing("b") + "; exit 1");  // it could not print, for example
  for (const JobOutcome& outcome : launch(options()))
    EXPECT_EQ(outcome.state, JobState::kDone)
        << outcome.message << " (exit " << outcome.exit_code << ")";
  EXPECT_FALSE(fs::exists(directory("a") + "/checkpoints/state")) << "nobody resumes from it";
}

// Its worker was killed; its process went on to the end.
TEST_F(WorkerTest, WhatAWorkerThatIsGoneHasLeftIsTidiedUp) {
  add("a", "exit 1");
  write_result(directory("a"), {.status = RunStatus::kDiverged});
  fs::create_directories(directory("a") + "/checkpoints/state");
  const pid_t killed = ::fork();
  if (killed == 0) {
    const auto claim = Claims(runs() / "claims", 60).take("a");
    folder().write(temporary_beside("runs/claims/.7").string(), "");
    folder().write(temporary_beside("runs/jobs.json").string(), "{");
    ::_exit(0);
  }
  ::waitpid(killed, nullptr, 0);
  EXPECT_EQ(launch(options())[0].state, JobState::kDone);
  EXPECT_TRUE(fs::is_empty(runs() / "claims"));
  EXPECT_FALSE(fs::exists(directory("a") + "/checkpoints/state"));
  for (const auto& entry : fs::recursive_directory_iterator(runs()))
    EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path();
}

TEST_F(WorkerTest, WorkersShareAStudyAndNoJobRunsTwice) {
  for (int i = 0; i < 12; ++i) {
    const std::string name = "job" + std::to_string(i);
    add(name, "echo x >> " + (folder() / (name + ".count")).string() + "; sleep 0.05; " +
                  finishing(name));
  }
  std::vector<std::thread> workers;
  for (int k = 0; k < 3; ++k) {
    workers.emplace_back([&] {
      for (const JobOutcome& outcome : launch(options()))
        EXPECT_EQ(outcome.state, JobState::kDone)
            << outcome.message << " (exit " << outcome.exit_code << ")";
    });
  }
  for (std::thread& worker : workers) worker.join();
  for (const Job& job : jobs)
    EXPECT_EQ(read_file(folder() / (job.run + ".count")), "x\n") << job.run;
  EXPECT_TRUE(fs::is_empty(runs() / "claims"));
}

TEST_F(WorkerTest, EndsWhenItsTimeIsOver) {
  add("long", "trap 'exit 130' TERM; while true; do sleep 0.05; done");
  WorkOptions a_moment = options();
  a_moment.seconds = 0.3;
  EXPECT_EQ(launch(a_moment)[0].state, JobState::kWaiting);
  EXPECT_TRUE(fs::is_empty(runs() / "claims"));
}

TEST_F(WorkerTest, KnowsWhetherItBroughtAnythingForward) {
  const std::string state = directory("saves") + "/checkpoints/state";
  const std::string wait = "; while true; do sleep 0.02; done";
  add("saves",
      "trap 'mkdir -p " + state + "; echo 1 >> " + state + "/state.bin; exit 130' TERM" + wait);
  WorkOptions a_moment = options();
  a_moment.seconds = 0.3;
  Worked worked = work(jobs, a_moment);
  EXPECT_TRUE(worked.begun);
  EXPECT_TRUE(worked.advanced) << "the second state is a later one";

  folder().write("saves.sh", "trap 'exit 130' TERM" + wait);
  worked = work(jobs, a_moment);
  EXPECT_TRUE(worked.begun);
  EXPECT_FALSE(worked.advanced);

  folder().write("saves.sh", "true");
  worked = work(jobs, a_moment);
  EXPECT_TRUE(worked.advanced) << "it has ended";
}

TEST_F(WorkerTest, LeavesWhenThereIsNothingToStartForAWhile) {
  add("a", "true");
  add("b", "true");
  jobs[1].trunk = 0;
  jobs[1].trunk_state = "trunks/t/step-4";
  Claims others(runs() / "claims", 60);
  const auto claim = others.take(job_key(jobs[0]));
  ASSERT_TRUE(claim);
  WorkOptions short_of_work = options();
  short_of_work.idle_seconds = 0.3;
  const Worked worked = work(jobs, short_of_work);
  EXPECT_EQ(worked.outcomes[0].state, JobState::kRunning);
  EXPECT_EQ(worked.outcomes[1].state, JobState::kWaiting);
  EXPECT_FALSE(worked.begun);
}

TEST_F(WorkerTest, StartsWhatFitsIntoTheMemory) {
  const std::string running = (folder() / "running").string();
  const std::string alone = "mkdir " + running + " && sleep 0.1 && rmdir " + running;
  for (const char* name : {"a", "b", "c"}) {
    add(name, alone);
    jobs.back().memory_bytes = 6e9;
  }
  WorkOptions little = options(3);
  little.memory_bytes = 1e10;
  for (const JobOutcome& outcome : launch(little)) EXPECT_EQ(outcome.state, JobState::kDone);
}

TEST_F(WorkerTest, ADamagedRecordFailsItsJobAlone) {
  add("a", "true");
  add("b", "true");
  fs::create_directories(directory("a"));
  folder().write("runs/a/result.json", "{");
  const auto outcomes = launch(options());
  EXPECT_EQ(outcomes[0].state, JobState::kFailed);
  EXPECT_NE(outcomes[0].message.find("result.json"), std::string::npos) << outcomes[0].message;
  EXPECT_EQ(outcomes[1].state, JobState::kDone);
}

}  // namespace
}  // namespace bitlaw
