#include "work/process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

TEST(StartProcess, WhatAnEarlierProcessStillSaysLeavesNoHoleInTheLog) {
  const TestFolder folder;
  const fs::path log = folder / "logs/a.log", go = folder / "go";
  const pid_t earlier = start_process(
      {"/bin/sh", "-c",
       "echo a long line; while ! test -e " + go.string() + "; do sleep 0.01; done; echo late"},
      {.log = log});
  while (read_file(log).empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const pid_t later =
      start_process({"/bin/sh", "-c", "echo new; touch " + go.string()}, {.log = log});
  ::waitpid(later, nullptr, 0);
  ::waitpid(earlier, nullptr, 0);
  EXPECT_EQ(read_file(log), "new\nlate\n");
}

}  // namespace
}  // namespace bitlaw
