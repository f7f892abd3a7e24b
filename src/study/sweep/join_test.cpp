#include "sweep/join.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "work/jobs_file.h"
#include "work/jobs_for_tests.h"

namespace bitlaw {
namespace {

class JoinTest : public testing::Test, protected ScriptedJobs {
 protected:
  // Writes the jobs so far; what the file then contains.
  std::string write_jobs() {
    write_study_jobs(runs(), {.study = "s", .directory = folder().string(), .jobs = jobs});
    return read_file(runs() / "jobs.json");
  }
  JoinResult join_now(WorkOptions options) {
    return join(std::move(options), {}, [&](const std::string& said) { notes_.push_back(said); });
  }
  std::vector<std::string> notes_;
};

TEST_F(JoinTest, GoesOnWithTheJobsOfTheNextStage) {
  add("a", "cp " + (folder() / "next.json").string() + " " + (runs() / "jobs.json").string());
  const std::string first = write_jobs();
  jobs.clear();
  add("b", "true");
  folder().write("next.json", write_jobs());
  write_file_atomically(runs() / "jobs.json", first);
  const JoinResult result = join_now(options());
  ASSERT_EQ(result.jobs.size(), 1U);
  EXPECT_EQ(result.jobs[0].run, "b");
  EXPECT_EQ(result.worked.outcomes[0].state, JobState::kDone);
  EXPECT_EQ(notes_.size(), 2U);
}

TEST_F(JoinTest, AWorkerThatStaysWaitsForThemButNotForEver) {
  const std::string jobs_file = (runs() / "jobs.json").string();
  add("a", "(sleep 1; cp " + (folder() / "next.json").string() + " " + jobs_file + ".tmp; mv " +
               jobs_file + ".tmp " + jobs_file + ") >/dev/null 2>&1 &");
  const std::string first = write_jobs();
  jobs.clear();
  add("b", "true");
  folder().write("next.json", write_jobs());
  write_file_atomically(runs() / "jobs.json", first);
  WorkOptions staying = options();
  staying.wait_for_others = true;
  staying.idle_seconds = 3;
  const JoinResult result = join_now(staying);
  EXPECT_EQ(result.jobs[0].run, "b");
  EXPECT_EQ(result.worked.outcomes[0].state, JobState::kDone);
}

TEST_F(JoinTest, EndsWhenTheJobsAreTheSame) {
  add("a", "true");
  write_jobs();
  EXPECT_EQ(join_now(options()).worked.outcomes[0].state, JobState::kDone);
  EXPECT_EQ(notes_.size(), 1U);
}

TEST_F(JoinTest, ADirectoryWithoutJobsIsNoStudys) {
  EXPECT_NE(error_of([&] { join_now(options()); }).find("jobs.json"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
