#include "base/command.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/stop.h"
#include "base/test_folder.h"

namespace bitlaw {
namespace {

TEST(RunCommand, KeepsOutputAndStatus) {
  const TestFolder folder;
  const auto run = [&](const std::string& script) {
    return run_command({"sh", "-c", script}, folder.path(), folder / "log");
  };
  EXPECT_EQ(run("pwd; echo $LC_ALL >&2; cat; exit 3"), 3);
  EXPECT_EQ(read_file(folder / "log"), folder.string() + "\nC\n");
  EXPECT_EQ(run_command({"no-such-program"}, folder.path(), folder / "log"), 127);
  EXPECT_NE(run("kill -9 $$"), 0);
}

TEST(RunCommand, EndsWhenAStopIsRequested) {
  const TestFolder folder;
  std::thread stopper([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    request_stop();
  });
  EXPECT_THROW(run_command({"sleep", "60"}, folder.path(), folder / "log"), Stopped);
  stopper.join();
  clear_stop_request();
}

}  // namespace
}  // namespace bitlaw
