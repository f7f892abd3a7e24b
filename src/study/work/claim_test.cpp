#include "work/claim.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/json_struct.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class ClaimTest : public testing::Test {
 protected:
  Claims claims(double lease_seconds = 60) const {
    return Claims(folder_.path(), lease_seconds, [this] { return now_; });
  }
  // The claim of a worker on another machine.
  void elsewhere(const std::string& file, int64_t beat, double lease_seconds = 60) const {
    Claimant other{.process = own_identity(), .beat = beat, .lease_seconds = lease_seconds};
    other.process.boot = "another";
    folder_.write(file, dump_json(struct_to_json(other)));
  }
  std::vector<std::string> files() const { return folder_.names(); }

  TestFolder folder_;
  double now_ = 0;
};

// Runs `task` in a process of its own, and returns its exit status once it has ended.
int in_process(const std::function<int()>& task) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(task());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST_F(ClaimTest, OneHasAJobAtATime) {
  Claims claims = this->claims();
  std::optional<Claim> first = claims.take("job");
  ASSERT_TRUE(first);
  EXPECT_FALSE(claims.take("job"));
  ASSERT_TRUE(claims.holder("job"));
  EXPECT_EQ(claims.holder("job")->process, own_identity());
  EXPECT_TRUE(claims.take("job-quantize")) << "another job";
  EXPECT_TRUE(first->beat());
  first->release();
  EXPECT_FALSE(claims.holder("job"));
  EXPECT_TRUE(claims.take("job"));
}

TEST_F(ClaimTest, NothingIsLeftOfAJobThatWasReleased) {
  Claims claims = this->claims();
  claims.take("job")->release();
  EXPECT_EQ(files(), std::vector<std::string>{});
}

TEST_F(ClaimTest, AProcessThatHasEndedHasNothing) {
  // Whoever is killed releases nothing.
  EXPECT_EQ(in_process([&] { return claims().take("job") ? 0 : 1; }), 0);
  ASSERT_EQ(files(), std::vector<std::string>{"job.1"});
  Claims claims = this->claims();
  EXPECT_FALSE(claims.holder("job"));
  std::optional<Claim> mine = claims.take("job");
  ASSERT_TRUE(mine);
  EXPECT_EQ(mine->generation(), 2);
  mine->release();
  EXPECT_EQ(files(), std::vector<std::string>{});
}

TEST_F(ClaimTest, AProcessThatLivesButIsSilentLosesItsJobAfterTheLease) {
  int up[2];
  ASSERT_EQ(::pipe(up), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const auto claim = claims().take("job");
    (void)!::write(up[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(up[0], &byte, 1), 1);
  Claims claims = this->claims();
  EXPECT_FALSE(claims.take("job"));
  now_ = 59;
  EXPECT_FALSE(claims.take("job"));
  now_ = 60;
  EXPECT_TRUE(claims.take("job"))
      << "it may be stopped, or this directory a copy of the one it has";
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

TEST_F(ClaimTest, WhatIsTakenOverWasLeftByAnother) {
  Claims claims = this->claims();
  EXPECT_FALSE(claims.take_over("job")) << "nobody has left a claim";
  EXPECT_EQ(files(), std::vector<std::string>{});
  EXPECT_EQ(in_process([&] { return this->claims().take("job") ? 0 : 1; }), 0);
  elsewhere("other-job.3", 1);
  EXPECT_EQ(claims.keys(), (std::set<std::string>{"job", "other-job"}));
  EXPECT_FALSE(claims.take_over("other-job")) << "somebody has it";
  std::optional<Claim> left = claims.take_over("job");
  ASSERT_TRUE(left);
  left->release();
  EXPECT_EQ(files(), std::vector<std::string>{"other-job.3"});
}

TEST_F(ClaimTest, ClocksOfMachinesAndFilesMeanNothing) {
  elsewhere("job.1", 1);
  const auto now = fs::file_time_type::clock::now();
  Claims claims = this->claims();
  for (const int years : {-30, 30}) {
    fs::last_write_time(folder_ / "job.1", now + std::chrono::hours(24 * 365 * years));
    EXPECT_FALSE(claims.take("job")) << "it has not stood still for long";
    now_ += 20;
  }
  now_ = 60;
  EXPECT_TRUE(claims.take("job"));
}

TEST_F(ClaimTest, AWorkerElsewhereLosesItsJobWhenItsBeatStandsStillForTheLease) {
  elsewhere("job.1", 7);
  Claims claims = this->claims();
  EXPECT_FALSE(claims.take("job"));
  now_ = 59;
  EXPECT_FALSE(claims.take("job"));
  elsewhere("job.1", 8);
  now_ = 118;
  EXPECT_FALSE(claims.take("job")) << "a beat starts the lease again";
  now_ = 177;
  EXPECT_FALSE(claims.take("job"));
  now_ = 178;
  std::optional<Claim> mine = claims.take("job");
  ASSERT_TRUE(mine);
  EXPECT_EQ(files(), (std::vector<std::string>{"job.1", "job.2"}));
}

TEST_F(ClaimTest, ALongerLeaseOfTheOtherIsKept) {
  elsewhere("job.1", 1, 600);
  Claims claims = this->claims(60);
  EXPECT_FALSE(claims.take("job"));
  now_ = 599;
  EXPECT_FALSE(claims.take("job"));
  now_ = 600;
  EXPECT_TRUE(claims.take("job"));
}

TEST_F(ClaimTest, WhoeverWasAsleepSeesThatItLostTheJob) {
  Claims claims = this->claims();
  std::optional<Claim> asleep = claims.take("job");
  ASSERT_TRUE(asleep);
  elsewhere("job.2", 1);
  EXPECT_FALSE(asleep->beat());
  asleep->release();
  EXPECT_EQ(files(), (std::vector<std::string>{"job.1", "job.2"})) << "the other's job stays its";
}

TEST_F(ClaimTest, ABeatNeverTouchesTheFileOfAnother) {
  Claims claims = this->claims();
  std::optional<Claim> asleep = claims.take("job");
  ASSERT_TRUE(asleep);
  // The other took over, ended, released, and a third has the first number again.
  fs::remove(folder_ / "job.1");
  elsewhere("job.1", 3);
  const std::string before = read_file(folder_ / "job.1");
  EXPECT_FALSE(asleep->beat());
  asleep->release();
  EXPECT_EQ(read_file(folder_ / "job.1"), before);
}

TEST_F(ClaimTest, AFileThatIsBeingWrittenIsAClaimUntilTheLeaseEnds) {
  folder_.write("job.1", "");
  Claims claims = this->claims();
  EXPECT_FALSE(claims.take("job"));
  now_ = 60;
  EXPECT_TRUE(claims.take("job"));
}

TEST_F(ClaimTest, ManyThatWantOneJobGetItOneAtATime) {
  // Each round, processes race for a job whose claimant has ended.
  constexpr int kRounds = 20, kRacers = 8;
  for (int round = 0; round < kRounds; ++round) {
    const std::string job = "job" + std::to_string(round);
    ASSERT_EQ(in_process([&] { return claims().take(job) ? 0 : 1; }), 0);
    int go[2];
    ASSERT_EQ(::pipe(go), 0);
    std::vector<pid_t> racers;
    for (int k = 0; k < kRacers; ++k) {
      racers.push_back(::fork());
      if (racers.back() != 0) continue;
      char byte = 0;
      ::close(go[1]);
      (void)!::read(go[0], &byte, 1);
      const auto claim = claims().take(job);
      ::usleep(200'000);  // a winner that has ended would be taken over
      ::_exit(claim ? 1 : 0);
    }
    ::close(go[0]);
    ::close(go[1]);
    int winners = 0;
    for (const pid_t racer : racers) {
      int status = 0;
      ::waitpid(racer, &status, 0);
      ASSERT_TRUE(WIFEXITED(status));
      winners += WEXITSTATUS(status);
    }
    EXPECT_EQ(winners, 1) << round;
  }
}

// As if others had taken it over and released it while this process was stopped.
TEST_F(ClaimTest, OneThatIsGoneAsSoonAsItIsMadeIsNobodys) {
  std::atomic<bool> ended = false;
  int removed = 0;
  std::thread others([&] {
    const std::string claim = (folder_ / "job.1").string();
    while (!ended) removed += ::unlink(claim.c_str()) == 0;
  });
  Claims claims = this->claims();
  for (int i = 0; i < 2000; ++i) {
    std::optional<Claim> claim;
    EXPECT_NO_THROW(claim = claims.take("job"));
  }
  ended = true;
  others.join();
  EXPECT_GT(removed, 0);
}

TEST_F(ClaimTest, ADirectoryThatCannotBeWrittenIsSaid) {
  folder_.write("file", "");
  Claims claims(folder_ / "file/claims", 60);
  EXPECT_THROW(claims.take("job"), Error);
}

TEST(ProcessIdentity, ThisProcessLivesAndOneThatHasEndedDoesNot) {
  const ProcessIdentity own = own_identity();
  EXPECT_EQ(is_alive(own), true);
  ProcessIdentity other = own;
  other.started += 1;
  EXPECT_EQ(is_alive(other), false) << "its number was used again";
  other = own;
  other.boot = "another";
  EXPECT_EQ(is_alive(other), std::nullopt);
  other = own;
  other.pid_namespace = "another";
  EXPECT_EQ(is_alive(other), std::nullopt);
}

}  // namespace
}  // namespace bitlaw
