// What killed processes leave beside files and directories: gone with the next command that writes
// there.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/temporary.h"
#include "cli/world.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

class Leftovers : public World {
 protected:
  // As a process leaves it that is killed while it writes `target`.
  void leave(const std::string& target, bool directory) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      const fs::path place = temporary_beside(around_.directory / target);
      write_text(directory ? place / "half" : place, "half");
      ::_exit(0);
    }
    ::waitpid(pid, nullptr, 0);
    EXPECT_TRUE(anything_temporary()) << target;
  }
  bool anything_temporary() {
    for (const auto& [name, content] : snapshot_of(around_.directory)) {
      if (name.find(".tmp") != std::string::npos) return true;
    }
    return false;
  }
  void expect_tidied_by(const std::vector<std::string>& command) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_FALSE(anything_temporary()) << command[0];
  }
};

TEST_F(Leftovers, OfADataSet) {
  leave("new", true);
  expect_tidied_by({"data", "prepare", "text", "--to", "new", "--tokenizer", "byte", "--quiet"});
}

TEST_F(Leftovers, OfExports) {
  leave("hf", true);
  leave("model.gguf", false);
  expect_tidied_by({"export", run_, "--gguf", "model.gguf", "--hf", "hf"});
}

TEST_F(Leftovers, OfAFileThatIsNeverWrittenAgain) {
  leave("old.json", false);
  expect_tidied_by({"simulate", "--law", "chinchilla", "--out", "new.csv"});
}

TEST_F(Leftovers, OfCells) {
  fs::create_directories(around_.directory / run_ / "ptq");
  leave(run_ + "/ptq/rtn-4.json", false);
  expect_tidied_by({"quantize", run_, "--method", "rtn", "--bits", "3", "--calibration-tokens",
                    "512", "--evaluation-tokens", "512", "--quiet", "--threads", "1"});
}

}  // namespace
}  // namespace bitlaw
