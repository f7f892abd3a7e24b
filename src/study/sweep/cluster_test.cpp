#include "sweep/cluster.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "work/jobs_for_tests.h"

namespace bitlaw {
namespace {

TEST(Cluster, AWordReachesTheProgramAsItIs) {
  const TestFolder folder;
  for (const char* word : {"plain", "", "it's $HOME & \"more\"", "`date`; \\", "*?[a]{b}~#!"}) {
    const std::string out = folder / "out";
    ASSERT_EQ(std::system(shell_line({"printf", "%s", word}).append(" > " + out).c_str()), 0);
    EXPECT_EQ(read_file(out), word);
  }
  EXPECT_NE(error_of([] { shell_word("two\nlines"); }).find("line break"), std::string::npos);
}

TEST(Cluster, ProgramsAreFoundAsTheShellFindsThem) {
  EXPECT_EQ(find_program("sh").filename(), "sh");
  EXPECT_TRUE(find_program("no-such-program-anywhere").empty());
  EXPECT_TRUE(find_program("/etc/passwd").empty()) << "it cannot be executed";
}

TEST(Cluster, AWorkerStopsBeforeTheLimit) {
  EXPECT_EQ(default_margin(7200), 300);
  EXPECT_EQ(default_margin(1800), 90);
  EXPECT_EQ(default_margin(600), 60);
  EXPECT_EQ(default_margin(60), 30);
  EXPECT_EQ(worker_seconds({}, {}), 0) << "no limit is known";
  EXPECT_EQ(worker_seconds({.seconds = 50}, {}), 50);
  EXPECT_EQ(worker_seconds({}, {.limit_seconds = 7200}), 6900);
  EXPECT_EQ(worker_seconds({}, {.limit_seconds = 60, .margin_seconds = 45}), 15);
  EXPECT_EQ(worker_seconds({.seconds = 3600}, {.limit_seconds = 7200}), 3600);
  EXPECT_EQ(worker_seconds({.seconds = 9000}, {.limit_seconds = 7200}), 6900);
  const auto no_time = [] { worker_seconds({}, {.limit_seconds = 60, .margin_seconds = 60}); };
  EXPECT_NE(error_of(no_time).find("--margin"), std::string::npos);
}

TEST(Cluster, MemoryIsThatOfTheLargestJobs) {
  constexpr double kMiB = 1024 * 1024;
  std::vector<Job> jobs(3);
  EXPECT_EQ(task_memory_bytes(jobs, {}), 0) << "nothing is known";
  jobs[0].memory_bytes = 100 * kMiB;
  jobs[1].memory_bytes = 400 * kMiB;
  const double one = task_memory_bytes(jobs, {.parallel = 1});
  EXPECT_GT(one, 400 * kMiB);
  const double two = task_memory_bytes(jobs, {.parallel = 2});
  EXPECT_GT(two, one + 100 * kMiB);
  EXPECT_GT(task_memory_bytes(jobs, {.parallel = 3}), two + 400 * kMiB)
      << "one whose memory is not known is taken for the largest";
  EXPECT_EQ(task_memory_bytes(jobs, {.parallel = 3, .memory_bytes = 1e9}), 1e9);
}

TEST(Cluster, AWorkerIsGivenWhatDiffersFromTheDefaults) {
  const auto line = [](const WorkOptions& work) { return shell_line(worker_arguments(work, {})); };
  EXPECT_EQ(line({.runs = "/runs/a b"}), "work '/runs/a b' --jobs 1");
  EXPECT_EQ(
      line({.runs = "/r",
            .parallel = 4,
            .seconds = 90,
            .memory_bytes = 8e9,
            .nice = 19,
            .order = JobOrder::kCheapest,
            .lease_seconds = 30}),
      "work /r --jobs 4 --for 90s --memory 8000000000 --nice 19 --order cheapest --lease 30s");
  EXPECT_TRUE(line({.runs = "r"}).starts_with("work /")) << "paths are absolute";
}

TEST(Cluster, AWorkerMayBeCalledInAContainer) {
  const WorkOptions work{.runs = "/r", .program = "/bin/bitlaw"};
  const std::string rest = " work /r --jobs 1 --idle 2m --left-status 75";
  EXPECT_EQ(worker_line(work, {}), "/bin/bitlaw" + rest);
  EXPECT_EQ(worker_line(work, {.worker = "apptainer exec b.sif bitlaw"}),
            "apptainer exec b.sif bitlaw" + rest);
}

}  // namespace
}  // namespace bitlaw
