#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "sweep/launcher.h"
#include "work/jobs_for_tests.h"

namespace bitlaw {
namespace {

class LaunchScript : public testing::Test, protected ScriptedJobs {
 protected:
  std::vector<std::string> lines() {
    launched_ = launch_script(jobs, options());
    return split(trim(read_file(runs() / "jobs.sh")), '\n');
  }
  static int shell(const std::string& command) { return std::system(command.c_str()); }
  std::string told() const { return read_file(folder() / "told"); }
  // A script that writes a word to `told`.
  std::string tell(const std::string& word) const {
    return "echo " + word + " >> " + (folder() / "told").string();
  }
  Launched launched_;
};

TEST_F(LaunchScript, ALineTrainsARunAndThenQuantizesIt) {
  add("a", tell("a"));
  add("b", tell("b"));
  add("b", tell("b-quantize"), 1);
  EXPECT_EQ(lines().size(), 2u);
  for (const JobOutcome& outcome : launched_.outcomes) EXPECT_EQ(outcome.state, JobState::kWaiting);
  EXPECT_NE(launched_.note.find("2 independent lines"), std::string::npos);

  EXPECT_EQ(shell("sh " + (runs() / "jobs.sh").string()), 0);
  EXPECT_EQ(told(), "a\nb\nb-quantize\n");
}

TEST_F(LaunchScript, EveryLineCanRunAlone) {
  add("a", tell("a"));
  add("a", tell("a-quantize"), 0);
  add("b", tell("b"));
  ASSERT_EQ(lines().size(), 2u);
  const std::string script = (runs() / "jobs.sh").string();
  EXPECT_EQ(shell("sed -n 2p " + script + " | sh"), 0);
  EXPECT_EQ(told(), "b\n");
  EXPECT_EQ(shell("sed -n 1p " + script + " | sh"), 0);
  EXPECT_EQ(told(), "b\na\na-quantize\n");
}

TEST_F(LaunchScript, WhatWaitsForAFailureIsNotRun) {
  add("a", "exit 3");
  add("a", tell("a-quantize"), 0);
  add("b", tell("b"));
  lines();
  EXPECT_EQ(shell("sh " + (runs() / "jobs.sh").string()), 0);
  EXPECT_EQ(told(), "b\n");
}

TEST_F(LaunchScript, LeavesOutWhatIsDone) {
  add("a", "true");
  add("b", "true");
  write_result(directory("a"), {.status = RunStatus::kFinished, .validation = Validation{}});
  add("a", "true", 0);  // its cells are still to be made
  const auto left = lines();
  ASSERT_EQ(left.size(), 2u);
  EXPECT_NE(left[0].find(" train "), std::string::npos);
  EXPECT_NE(left[1].find(" quantize "), std::string::npos);
  EXPECT_EQ(left[1].find("&&"), std::string::npos);
  EXPECT_EQ(launched_.outcomes[0].state, JobState::kDone);
}

TEST_F(LaunchScript, SaysWhatALineTakes) {
  add("a", "true");
  add("a", "true", 0);
  jobs[0].name = "size=small\ntokens=1e6";
  jobs[0].cost = 3e9;
  jobs[0].memory_bytes = 41 * 1024 * 1024;
  jobs[1].cost = 1e9;
  const auto all = lines();
  ASSERT_EQ(all.size(), 1u) << "a line break in a name starts no line";
  EXPECT_TRUE(all[0].ends_with("  # size=small?tokens=1e6: 4e+09 FLOP, 41.0 MiB")) << all[0];
}

TEST_F(LaunchScript, WordsReachTheProgramAsTheyAre) {
  const TestFolder other;
  LaunchOptions odd = options();
  odd.runs = other / "it's $HOME & \"more\"";
  odd.program = (other / "a program").string();
  other.write("a program", "#!/bin/sh\nprintf '%s' \"$2\" > \"$(dirname \"$0\")\"/told\n");
  std::filesystem::permissions(odd.program, std::filesystem::perms::owner_all);
  add("a", "true");
  launch_script(jobs, odd);
  std::filesystem::copy_file(odd.runs / "jobs.sh", other / "jobs.sh");
  EXPECT_EQ(shell("sh " + (other / "jobs.sh").string()), 0);
  EXPECT_EQ(read_file(other / "told"), (odd.runs / "cells/a.json").string());

  odd.runs = other / "two\nlines";
  EXPECT_NE(error_of([&] { launch_script(jobs, odd); }).find("line break"), std::string::npos);
}

}  // namespace
}  // namespace bitlaw
