#include "base/temporary.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "base/test_folder.h"
#include "base/text.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class Leftovers : public testing::Test {
 protected:
  Leftovers() : own_(temporary_beside(folder_ / "x").filename().string()) {
    ended_ = ::fork();
    if (ended_ == 0) ::_exit(0);
    ::waitpid(ended_, nullptr, 0);
  }

  std::string host() const { return own_.substr(std::string("x.tmp-").size(), 8); }
  // A temporary of NAME by a process of a host.
  std::string of(const std::string& name, const std::string& host, pid_t pid) const {
    return name + ".tmp-" + host + "-" + std::to_string(pid);
  }
  void make_old(const std::string& name, int days) const {
    fs::last_write_time(folder_ / name,
                        fs::file_time_type::clock::now() - std::chrono::hours(24 * days));
  }

  TestFolder folder_;
  std::string own_;
  pid_t ended_;
};

TEST_F(Leftovers, OfEndedProcessesOfThisHostAreRemoved) {
  folder_.write(of("cell.json", host(), ended_), "half");
  folder_.write(of("data", host(), ended_) + "/inside/file", "half");
  folder_.write("cell.json", "whole");
  remove_old_temporaries(folder_.path());
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"cell.json"});
}

TEST_F(Leftovers, OfAProcessThatNobodyHasWaitedForAreRemoved) {
  const pid_t zombie = ::fork();
  if (zombie == 0) ::_exit(0);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(zombie), &ended, WEXITED | WNOWAIT), 0);
  folder_.write(of("cell.json", host(), zombie), "half");
  remove_old_temporaries(folder_.path());
  EXPECT_TRUE(folder_.names().empty());
  ::waitpid(zombie, nullptr, 0);
}

TEST_F(Leftovers, OfRunningProcessesStay) {
  for (const pid_t pid : {::getpid(), ::getppid()}) folder_.write(of("file", host(), pid), "half");
  remove_old_temporaries(folder_.path());
  EXPECT_EQ(folder_.names().size(), 2u);
}

TEST_F(Leftovers, OfOtherHostsStayForAWeek) {
  const std::string other = host() == "00000000" ? "11111111" : "00000000";
  folder_.write(of("new", other, ended_), "half");
  folder_.write(of("old", other, ended_), "half");
  folder_.write(of("directory", other, ended_) + "/file", "half");
  make_old(of("old", other, ended_), 8);
  make_old(of("directory", other, ended_), 8);  // but not the file in it
  remove_old_temporaries(folder_.path());
  EXPECT_EQ(folder_.names(), (std::vector<std::string>{of("directory", other, ended_),
                                                       of("directory", other, ended_) + "/file",
                                                       of("new", other, ended_)}));
}

TEST_F(Leftovers, FilesOfOthersStay) {
  const std::string pid = std::to_string(ended_);
  const std::vector<std::string> theirs{"a.tmp-" + pid,
                                        "a.tmp-xyz-" + pid,
                                        "a.tmp-" + host(),
                                        "a.tmp-" + host() + "-",
                                        ".tmp-" + host() + "-" + pid,
                                        "a.tmp-" + host() + "-" + pid + "x",
                                        "notes.tmp7",
                                        "tmp",
                                        "a.old"};
  for (const std::string& name : theirs) {
    folder_.write(name, "text");
    make_old(name, 30);
  }
  remove_old_temporaries(folder_.path());
  EXPECT_EQ(folder_.names().size(), theirs.size());
}

TEST_F(Leftovers, OfEarlierVersionsAreRemovedWhereAllIsOurs) {
  folder_.write("a.json.tmp123", "half");
  folder_.write("b.json.tmp123", "half");
  make_old("a.json.tmp123", 8);
  remove_old_temporaries(folder_.path(), Owner::kBitlaw);
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"b.json.tmp123"});
}

TEST_F(Leftovers, WhatWasReplacedStaysWhileItIsTheOnlyCopy) {
  const std::string name = of("data", host(), ended_) + ".old";
  folder_.write(name + "/dataset.json", "old");
  remove_old_temporaries(folder_.path());
  EXPECT_TRUE(fs::exists(folder_ / name));
  folder_.write("data/dataset.json", "new");
  remove_old_temporaries(folder_.path());
  EXPECT_FALSE(fs::exists(folder_ / name));
}

// A process that is killed while it writes, and the next one that writes there.
TEST_F(Leftovers, TheNextWriteRemovesThem) {
  const std::string other = folder_ / "somewhere";
  fs::create_directories(other);
  const pid_t writer = ::fork();
  if (writer == 0) {
    std::ofstream(temporary_beside(fs::path(other) / "file")) << "half";
    ::_exit(0);
  }
  ::waitpid(writer, nullptr, 0);
  EXPECT_EQ(folder_.names().size(), 2u);
  write_file_atomically(fs::path(other) / "another", "whole");
  EXPECT_EQ(folder_.names(), (std::vector<std::string>{"somewhere", "somewhere/another"}));
}

}  // namespace
}  // namespace bitlaw
