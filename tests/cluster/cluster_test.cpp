// A study of branches and quantized cells, made in three ways that have nothing in common but a
// directory: by tasks of a real Slurm with walls and killed daemons, by workers that see the directory
// under different names, and by ranks of MPI. Every file that must not depend on who made it, or how
// often it was interrupted, equals that of a sweep on this machine.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "base/file.h"
#include "cluster/daemons.h"
#include "cluster/slurm_here.h"
#include "end_to_end/small_study.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

using Clock = std::chrono::steady_clock;

constexpr const char* kStudy = R"(
name = "little"
[base]
data.path = "data"
model.width = 32
model.heads = 1
model.sequence = 32
train.batch_tokens = 512
train.validation_tokens = 4096
optimizer.batch_power = 0
schedule.kind = "wsd"
schedule.warmup_steps = 20
schedule.decay = 0.2
[[grid]]
"train.tokens" = [409600, 819200, 1228800]
"train.seed" = [1, 2]
[ptq]
where = { "train.seed" = 1 }
methods = ["rtn", "gptq"]
bits = [3, 4]
calibration_tokens = 2048
evaluation_tokens = 2048
)";
constexpr int kRuns = 6, kQuantized = 3;

// What made_in() gives, without what says who made it: jobs, claims, scripts.
std::map<std::string, std::string> runs_in(const fs::path& runs) {
  std::map<std::string, std::string> made = made_in(runs);
  std::erase_if(made, [&](const auto& file) {
    const std::string top = fs::path(file.first).begin()->string();
    return top != "trunks" && top != "cells" && !fs::exists(runs / top / "run.json");
  });
  return made;
}

// The study, and what a sweep on this machine made of it.
struct Reference {
  SmallStudy study{kStudy};
  std::map<std::string, std::string> made;
  double seconds = 0;

  Reference() {
    study.prepare();
    const Clock::time_point start = Clock::now();
    const Json result =
        study.json_of({"sweep", "study.toml", "--runs", "local", "--jobs", "2", "--quiet"});
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
    EXPECT_EQ(result.at("done"), kRuns + kQuantized);
    made = runs_in(study.path("local"));
  }
};

Reference& reference() {
  static Reference reference;
  return reference;
}

bool wait_until(const std::function<bool()>& holds, double seconds) {
  const Clock::time_point end = Clock::now() + std::chrono::milliseconds(int64_t(1000 * seconds));
  while (!holds()) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return true;
}

// Runs whose directory is there; of these, runs that have ended.
size_t count_runs(const fs::path& runs, const char* with) {
  size_t count = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(runs, none))
    count += fs::exists(entry.path() / "run.json") && fs::exists(entry.path() / with);
  return count;
}

std::string text_in(const fs::path& folder, const std::string& prefix) {
  std::string out;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.is_regular_file() && entry.path().filename().string().starts_with(prefix))
      out += read_file(entry.path());
  }
  return out;
}

size_t occurrences(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

int left_of(const SmallStudy& study, const std::string& runs) {
  return study.json_of({"sweep", "study.toml", "--runs", runs, "--status"}).at("waiting");
}

TEST(Cluster, AStudyThroughSlurmWithWallsAndKilledDaemons) {
  if (const std::string missing = SlurmHere::missing(); !missing.empty()) GTEST_SKIP() << missing;
  Reference& local = reference();
  const fs::path runs = local.study.path("slurm");
  SlurmHere slurm;
  ASSERT_TRUE(slurm.has_node()) << slurm.logs();

  // Shorter than the study takes, however fast this machine is.
  const int wall = std::clamp(int(0.6 * local.seconds), 4, 45);
  const Json submitted = local.study.json_of({"sweep",          "study.toml",
                                              "--runs",         "slurm",
                                              "--launcher",     "slurm",
                                              "--tasks",        "2",
                                              "--time-limit",   "60s",
                                              "--margin",       fmt::format("{}s", 60 - wall),
                                              "--lease",        "5s",
                                              "--slurm-option", "partition=short",
                                              "--slurm-option", "comment=a study",
                                              "--memory",       "500MB",
                                              "--quiet"});
  EXPECT_EQ(submitted.at("waiting"), kRuns + kQuantized);
  const std::string note = submitted.at("note");
  EXPECT_NE(note.find("as job "), std::string::npos) << note;

  const auto some_run = [&] { return count_runs(runs, "metrics.jsonl") > 0; };
  EXPECT_TRUE(wait_until(some_run, 60)) << slurm.queue() << slurm.logs();
  slurm.kill_and_restart_node();
  const auto some_result = [&] { return count_runs(runs, "result.json") > 0; };
  EXPECT_TRUE(wait_until(some_result, 120)) << slurm.queue() << slurm.logs();
  slurm.kill_and_restart_controller();

  const auto ended = [&] {
    slurm.put_right();
    return slurm.queue().empty();
  };
  EXPECT_TRUE(wait_until(ended, 240)) << slurm.queue() << slurm.logs();
  const std::string told = text_in(runs / "logs", "slurm-");
  EXPECT_EQ(left_of(local.study, "slurm"), 0) << told << slurm.logs();
  EXPECT_GE(occurrences(told, "out of time, with jobs left"), 1u) << "no wall was met\n" << told;
  EXPECT_EQ(what_differs(runs_in(runs), local.made), "");
}

// A worker that sees the study's folder as `place`, as if on a machine of its own.
std::vector<std::string> worker_elsewhere(const SmallStudy& study, const fs::path& place) {
  const std::string inside = fmt::format(
      "mount --bind {0} {1} && cd {1} && exec {2} work shared --jobs 1 --stay "
      "--lease 3s --directory {1} --quiet",
      study.path(".").string(), place.string(), program_path());
  return {"unshare",      "--mount", "--pid", "--fork", "--mount-proc",
          "--kill-child", "sh",      "-c",    inside};
}

TEST(Cluster, ThreeWorkersOnOneDirectoryUnderThreeNames) {
  if (ask("unshare --mount --pid --fork --mount-proc true").status != 0)
    GTEST_SKIP() << "this machine allows no mount namespaces";
  Reference& local = reference();
  const fs::path runs = local.study.path("shared");
  // `script` writes the jobs and starts none.
  local.study.json_of({"sweep", "study.toml", "--runs", "shared", "--launcher", "script"});
  const Folder elsewhere;
  std::vector<Daemon> workers;
  for (int i = 0; i < 3; ++i) {
    const fs::path place = elsewhere.path() / fmt::format("machine{}", i);
    fs::create_directory(place);
    workers.emplace_back(worker_elsewhere(local.study, place),
                         elsewhere.path() / fmt::format("machine{}.log", i));
  }
  const auto busy = [&] { return count_runs(runs, "metrics.jsonl") > 1; };
  EXPECT_TRUE(wait_until(busy, 60));
  workers[0].kill();  // with its job; nobody else can see that it is dead
  for (int i = 1; i < 3; ++i)
    EXPECT_EQ(workers[size_t(i)].wait(), 0) << text_in(elsewhere.path(), "machine");
  EXPECT_EQ(left_of(local.study, "shared"), 0) << text_in(elsewhere.path(), "machine");
  EXPECT_EQ(what_differs(runs_in(runs), local.made), "");
}

TEST(Cluster, APoolOfThreeRanks) {
  if (ask("command -v mpirun").status != 0)
    GTEST_SKIP() << "mpirun is not installed (tools/install_packages cluster)";
  Reference& local = reference();
  const std::string mpirun =
      fmt::format("mpirun --oversubscribe{}", ::geteuid() == 0 ? " --allow-run-as-root" : "");
  const std::vector<std::string> sweep{"sweep",      "study.toml", "--runs",  "pool",
                                       "--launcher", "mpi",        "--ranks", "3",
                                       "--mpirun",   mpirun,       "--quiet"};
  std::vector<std::string> a_moment = sweep;
  a_moment.insert(a_moment.end(), {"--for", "1s"});
  EXPECT_GT(local.study.json_of(a_moment).at("waiting"), 0);
  const Json result = local.study.json_of(sweep);
  EXPECT_EQ(result.at("done"), kRuns + kQuantized);
  const std::string log = read_file(local.study.path("pool") / "logs/mpi.log");
  EXPECT_EQ(occurrences(log, "jobs done"), 3u) << log;
  EXPECT_EQ(what_differs(runs_in(local.study.path("pool")), local.made), "");
}

}  // namespace
}  // namespace bitlaw
