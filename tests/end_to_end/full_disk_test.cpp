// A disk that fills up under a study, or becomes read-only: one sentence, no job that has failed,
// nothing half-written, and the study goes on as soon as it can.
//
// The small disk is a tmpfs if this process may mount one. In any case there is a limit on file
// sizes, to which write() responds as to a full disk.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <iostream>
#include <thread>

#include "base/file.h"
#include "end_to_end/small_study.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// A trunk with a branch, another run, and cells of all.
constexpr const char* kStudy = R"(
name = "full"
[base]
data.path = "data"
model.width = 16
model.layers = 1
model.heads = 1
model.sequence = 32
train.batch_tokens = 512
train.validation_tokens = 4096
train.lr = 0.02
schedule.kind = "wsd"
schedule.warmup_steps = 4
schedule.decay = 0.25
optimizer.batch_power = 0
[[grid]]
"train.tokens" = [10240, 20480]
[[grid]]
"train.tokens" = [10240]
"recipe.weights" = ["4"]
[ptq]
methods = ["rtn", "gptq"]
bits = [3]
calibration_tokens = 1024
evaluation_tokens = 1024
)";
constexpr int kJobs = 6;

class SlowDisk : public testing::Test {
 protected:
  SlowDisk() : study_(kStudy) {
    study_.prepare();
    EXPECT_EQ(study_.json_of(sweep_into("whole")).at("done"), kJobs);
    whole_ = made_in(study_.path("whole"));
  }

  static std::vector<std::string> sweep_into(const std::string& runs) {
    return {"sweep", "study.toml", "--runs", runs, "--jobs", "2", "--quiet"};
  }
  // Sweeps with more and more room until it is enough.
  void sweep_until_it_fits(const std::string& why, const std::function<Outcome(int)>& sweep_with) {
    int times_full = 0;
    std::map<std::string, std::string> before;
    for (int room = 1; room <= 200; ++room) {
      const Outcome outcome = sweep_with(room);
      SCOPED_TRACE(fmt::format("room {}: {}{}", room, outcome.err, outcome.out));
      const auto now = made_in(study_.path("runs"));
      expect_tidy(now);
      expect_kept(before, now);
      if (outcome.status == 0) break;
      ++times_full;
      expect_sentence(outcome, why);
      if (HasFailure()) break;
      before = now;
    }
    std::cout << fmt::format("full {} times\n", times_full);
    EXPECT_GE(times_full, 4);
    EXPECT_EQ(study_.json_of(sweep_into("runs")).at("done"), kJobs);
    EXPECT_EQ(what_differs(made_in(study_.path("runs")), whole_), "");
  }
  static void expect_sentence(const Outcome& outcome, const std::string& why) {
    EXPECT_EQ(outcome.status, 1);
    EXPECT_TRUE(outcome.err.starts_with("bitlaw: "));
    EXPECT_NE(outcome.err.find(why), std::string::npos);
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
    if (outcome.out.empty()) return;  // it had not begun
    EXPECT_EQ(outcome.json().at("failed"), 0);
    EXPECT_NE(outcome.err.find("the same command goes on"), std::string::npos);
  }
  static void expect_tidy(const std::map<std::string, std::string>& made) {
    for (const auto& [path, content] : made) {
      EXPECT_EQ(path.find(".tmp"), std::string::npos) << path;
      EXPECT_FALSE(path.starts_with("failures/")) << path << content;
      EXPECT_FALSE(path.starts_with("claims/")) << path;
    }
  }
  // What is finished stays.
  static void expect_kept(const std::map<std::string, std::string>& before,
                          const std::map<std::string, std::string>& now) {
    for (const auto& [path, content] : before) {
      if (!path.ends_with("result.json") && path.find("/ptq/") == std::string::npos) continue;
      EXPECT_TRUE(now.count(path) > 0 && now.at(path) == content) << path;
    }
  }
  bool has_own_mounts() {
    fs::create_directory(study_.path("runs"));
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("none", study_.path("runs").c_str(), "tmpfs", 0, "size=16k") == 0;
  }
  void remount(const std::string& options) {
    EXPECT_EQ(::mount("none", study_.path("runs").c_str(), nullptr, MS_REMOUNT, options.c_str()), 0)
        << options;
  }
  void TearDown() override { ::umount2(study_.path("runs").c_str(), MNT_DETACH); }

  SmallStudy study_;
  std::map<std::string, std::string> whole_;
};

TEST_F(SlowDisk, AStudyGoesOnWhenThereIsRoomForLargerFiles) {
  fs::create_directory(study_.path("runs"));
  std::vector<std::string> sweep = sweep_into("runs");
  sweep.push_back("--json");
  sweep_until_it_fits("File too large", [&](int room) {
    Surroundings around = study_.around();
    around.largest_file = 600 * static_cast<uint64_t>(std::pow(1.7, room));
    return run_bitlaw(sweep, around);
  });
}

TEST_F(SlowDisk, AStudyGoesOnWhenADiskHasSpaceAgain) {
  if (!has_own_mounts()) GTEST_SKIP() << "this process may not mount a file system";
  std::vector<std::string> sweep = sweep_into("runs");
  sweep.push_back("--json");
  sweep_until_it_fits("No space left on device", [&](int room) {
    remount(fmt::format("size={}k", 16 + 48 * room));
    return run_bitlaw(sweep, study_.around());
  });
}

TEST_F(SlowDisk, AStudyGoesOnWhenADiskHasRoomForMoreFiles) {
  if (!has_own_mounts()) GTEST_SKIP() << "this process may not mount a file system";
  std::vector<std::string> sweep = sweep_into("runs");
  sweep.push_back("--json");
  sweep_until_it_fits("No space left on device", [&](int room) {
    remount(fmt::format("size=64m,nr_inodes={}", 2 + 5 * room));
    return run_bitlaw(sweep, study_.around());
  });
}

TEST_F(SlowDisk, AStudyGoesOnWhenADiskCanBeWrittenAgain) {
  if (!has_own_mounts()) GTEST_SKIP() << "this process may not mount a file system";
  remount("size=64m");
  const fs::path runs = study_.path("runs"), errors = study_.path("errors");
  const pid_t pid = start_bitlaw(sweep_into("runs"), study_.around(), errors);
  const auto cells = [&] {
    const auto made = made_in(runs);
    return std::count_if(made.begin(), made.end(), [](const auto& each) {
      return each.first.find("/ptq/") != std::string::npos;
    });
  };
  while (cells() < 2 && !has_ended(pid)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  // Over itself: who has a file open goes on, and nobody can open another one to write.
  ASSERT_EQ(::mount(runs.c_str(), runs.c_str(), nullptr, MS_BIND, nullptr), 0);
  ASSERT_EQ(::mount(nullptr, runs.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0);
  int status = 0;
  ::waitpid(pid, &status, 0);
  const std::string said = read_file(errors);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status << said;
  EXPECT_NE(said.find("Read-only file system"), std::string::npos) << said;
  EXPECT_NE(said.find("the same command goes on"), std::string::npos) << said;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  const auto before = made_in(runs);
  std::vector<std::string> again = sweep_into("runs");
  again.push_back("--json");
  expect_sentence(run_bitlaw(again, study_.around()), "Read-only file system");
  again.push_back("--status");
  const Outcome state = run_bitlaw(again, study_.around());
  EXPECT_EQ(state.status, 0) << state.err;
  EXPECT_EQ(state.json().at("failed"), 0);
  ASSERT_EQ(::umount(runs.c_str()), 0);
  EXPECT_EQ(study_.json_of(sweep_into("runs")).at("done"), kJobs);
  expect_kept(before, made_in(runs));
  EXPECT_EQ(what_differs(made_in(runs), whole_), "");
}

}  // namespace
}  // namespace bitlaw
