// Standard output and standard error that are full, closed, or read by nobody: results that cannot
// be printed are an error, notes that cannot be printed are lost.
#include <gtest/gtest.h>

#include "base/file.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class Streams : public World {
 protected:
  void SetUp() override {
    if (!fs::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full here";
  }
  Outcome shell(const std::string& command) { return run_shell(command, around_); }
};

// Each prints something on standard error before its result.
std::vector<std::string> commands_with_notes(const std::string& run) {
  return {"\"$BITLAW\" fit table.csv --law kumar --draws 20 --json",
          "\"$BITLAW\" runs runs --csv table_of_runs.csv --json",
          "\"$BITLAW\" simulate --law kumar --diverged 4 --json",
          "\"$BITLAW\" quantize " + run +
              " --along --method rtn --bits 3 --calibration-tokens 512 --evaluation-tokens 512 "
              "--threads 1 --json"};
}

TEST_F(Streams, WhatCannotBeSaidOnStandardErrorChangesNothing) {
  for (const std::string& command : commands_with_notes(run_)) {
    SCOPED_TRACE(command);
    shell(command);  // quantize computes, and later finds what is there
    const Outcome whole = shell(command);
    EXPECT_EQ(whole.status, 0) << whole.err;
    EXPECT_NE(whole.err, "") << "nothing is said that could be lost";
    for (const char* error : {" 2>/dev/full", " 2>&-", " 2>&1 >kept | true; cat kept"}) {
      const Outcome outcome = shell(command + error);
      EXPECT_EQ(outcome.status, 0) << error;
      EXPECT_EQ(outcome.out, whole.out) << error;
    }
  }
}

TEST_F(Streams, TrainingGoesOnWithoutItsProgress) {
  const std::string train =
      "\"$BITLAW\" train data.path=data model.width=32 model.heads=2 model.sequence=32 "
      "train.batch_tokens=256 train.tokens=5120 --threads 1 --directory ";
  const std::string weights =
      read_file(around_.directory / run_ / "checkpoints/final/model.safetensors");
  int count = 0;
  for (const char* error : {" 2>/dev/full", " 2>&-", " 2>&1 >kept | true; cat kept"}) {
    const std::string to = "again" + std::to_string(count++);
    const Outcome outcome = shell(train + to + error);
    EXPECT_EQ(outcome.status, 0) << error;
    const fs::path other = around_.directory / to / fs::path(run_).filename();
    EXPECT_EQ(read_file(other / "checkpoints/final/model.safetensors"), weights) << error;
  }
}

TEST_F(Streams, AFullStandardOutputIsAnErrorOfEveryVerb) {
  around_.output_to = "/dev/full";
  const std::vector<std::vector<std::string>> commands{
      {"--help"},
      {"--version"},
      {"fit", "--help"},
      {"data", "prepare", "--help"},
      {"train", "--help"},
      {"train", "--print-config"},
      tiny_run({"--dry-run"}),
      tiny_run({"--json"}),
      {"eval", run_},
      {"eval", run_, "--json"},
      {"quantize", run_, "--dry-run"},
      {"quantize", run_, "--dry-run", "--json"},
      {"runs", "runs"},
      {"runs", "runs", "--json"},
      {"runs", "runs", "--csv", "-"},
      {"runs", "runs", "--columns"},
      {"laws"},
      {"laws", "--json"},
      {"laws", "show", "kumar"},
      {"fit", "table.csv", "--law", "chinchilla", "--draws", "20"},
      {"fit", "table.csv", "--law", "chinchilla", "--draws", "20", "--json"},
      {"compare", "table.csv", "--laws", "chinchilla,gadre"},
      {"simulate", "--law", "chinchilla"},
      {"plan", "--compute", "1e21"},
      {"plan", "--compute", "1e21", "--json"},
      {"report", "runs", "--json"}};
  for (const auto& command : commands)
    expect_refused(command, {"standard output cannot be written: No space left on device"});
}

TEST_F(Streams, AClosedStandardOutputIsAnErrorAndSpoilsNoFile) {
  const Snapshot before = snapshot_of(around_.directory);
  for (const char* command : {"\"$BITLAW\" --help >&-", "\"$BITLAW\" runs runs >&-"}) {
    const Outcome outcome = shell(command);
    EXPECT_EQ(outcome.status, 1) << command;
    EXPECT_TRUE(outcome.err.starts_with("bitlaw: standard output cannot be written"))
        << outcome.err;
  }
  EXPECT_EQ(differences(before, snapshot_of(around_.directory)), "");
  // Without the guard, the lock of the run would be descriptor 1, and hold the result.
  shell(
      "\"$BITLAW\" train data.path=data model.width=32 model.heads=2 model.sequence=32 "
      "train.batch_tokens=256 train.tokens=5120 --directory again --quiet --threads 1 "
      ">&- 2>&- <&-");
  const fs::path again = around_.directory / "again" / fs::path(run_).filename();
  EXPECT_EQ(read_file(again / "lock"), "");
  EXPECT_TRUE(fs::exists(again / "result.json"));
}

// 141 is 128 + SIGPIPE, as of every program whose reader leaves.
TEST_F(Streams, AReaderThatLeavesIsNoError) {
  const std::vector<std::string> commands{"laws --json", "laws --markdown", "--help",
                                          "simulate --law kumar --json", "train --help"};
  for (const std::string& command : commands) {
    SCOPED_TRACE(command);
    const Outcome outcome =
        shell("{ sleep 0.2; \"$BITLAW\" " + command + "; echo $? >status; } | true; cat status");
    EXPECT_EQ(outcome.out, "141\n");
    EXPECT_EQ(outcome.err, "");
  }
}

}  // namespace
}  // namespace bitlaw
