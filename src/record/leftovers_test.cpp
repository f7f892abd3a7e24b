#include "record/leftovers.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file_lock.h"
#include "base/temporary.h"
#include "base/test_folder.h"
#include "record/result.h"

namespace bitlaw {
namespace {

TEST(LeftoversOfRun, TheStateOfARunThatHasItsResultIsRemoved) {
  const TestFolder folder;
  folder.write("a/checkpoints/state/state.bin", "");
  folder.write("a/checkpoints/final/model.safetensors", "");
  remove_leftovers_of_run(folder / "a");
  EXPECT_TRUE(std::filesystem::exists(folder / "a/checkpoints/state/state.bin")) << "no result yet";

  write_result(folder / "a", {.status = RunStatus::kDiverged});
  {
    FileLock other;
    ASSERT_TRUE(other.take(folder / "a/lock"));
    remove_leftovers_of_run(folder / "a");
    EXPECT_TRUE(std::filesystem::exists(folder / "a/checkpoints/state/state.bin")) << "in use";
  }
  remove_leftovers_of_run(folder / "a");
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a", "a/checkpoints", "a/checkpoints/final",
                                                      "a/checkpoints/final/model.safetensors",
                                                      "a/lock", "a/result.json"}));
}

TEST(LeftoversOfRun, SoAreHalfWrittenCells) {
  const TestFolder folder;
  write_result(folder / "a", {.status = RunStatus::kDiverged});
  const pid_t killed = ::fork();
  if (killed == 0) {
    folder.write(temporary_beside("a/ptq/1.json").string(), "half");
    ::_exit(0);
  }
  ::waitpid(killed, nullptr, 0);
  folder.write("a/ptq/2.json", "whole");
  ASSERT_EQ(folder.names().size(), 5u);
  remove_leftovers_of_run(folder / "a");
  EXPECT_EQ(folder.names(),
            (std::vector<std::string>{"a", "a/ptq", "a/ptq/2.json", "a/result.json"}));
}

}  // namespace
}  // namespace bitlaw
