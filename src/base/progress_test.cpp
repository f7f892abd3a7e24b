#include "base/progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace bitlaw {
namespace {

std::atomic<bool> terminated{false};

// Progress goes into a pipe while this lives.
struct JsonPipe {
  JsonPipe() {
    EXPECT_EQ(::pipe(ends), 0);
    send_progress_as_json(ends[1]);
  }
  ~JsonPipe() {
    end_progress_as_json();
    ::close(ends[1]);  // the watch of it ends with the reader
    if (ends[0] >= 0) ::close(ends[0]);
  }
  std::vector<Json> lines() const {
    char text[1 << 16];
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    const ssize_t count = ::read(ends[0], text, sizeof text);
    std::vector<Json> out;
    for (const std::string& line :
         split(std::string(text, count > 0 ? static_cast<size_t>(count) : 0), '\n'))
      if (!line.empty()) out.push_back(parse_json(line, "progress"));
    return out;
  }
  int ends[2];
};

// Captured output is not a terminal, so these are the plain lines of a log.
TEST(Progress, FinishWritesOneLineToStandardError) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  {
    Progress progress("fitting", 10);
    progress.update(3);  // too soon after the start for another line
    progress.finish("loss 3.2");
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("fitting 100%"), 0u) << text;
  EXPECT_NE(text.find("loss 3.2\n"), std::string::npos) << text;
  EXPECT_EQ(text.find('\r'), std::string::npos) << text;
}

TEST(Progress, QuietWritesNothing) {
  testing::internal::CaptureStderr();
  {
    Progress progress("fitting", 10, true);
    progress.update(5, "note");
    progress.finish();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, LinesOfJsonHaveWhatWasAskedFor) {
  const JsonPipe pipe;
  testing::internal::CaptureStderr();
  {
    Progress progress("train x", 10);
    progress.update(3, "loss 3.2", [] {
      return Json{{"step", 3}};
    });  // the first is written at once
    progress.update(4, "", []() -> Json { throw Error("asked for although no line is due"); });
    progress.finish("done", [] { return Json{{"step", 10}}; });
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  const std::vector<Json> lines = pipe.lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["progress"], "train x");
  EXPECT_EQ(lines[0]["done"], 3.0);
  EXPECT_EQ(lines[0]["total"], 10.0);
  EXPECT_EQ(lines[0]["note"], "loss 3.2");
  EXPECT_EQ(lines[0]["step"], 3);
  EXPECT_FALSE(lines[0].contains("finished"));
  EXPECT_FALSE(lines[0].contains("seconds_left"));  // the beginning says nothing of the rate
  EXPECT_EQ(lines[1]["finished"], true);
  EXPECT_EQ(lines[1]["done"], 10.0);
  EXPECT_EQ(lines[1]["step"], 10);
}

TEST(Progress, QuietIsQuietInJson) {
  const JsonPipe pipe;
  Progress progress("train x", 10, true);
  progress.update(3);
  progress.finish();
  EXPECT_TRUE(pipe.lines().empty());
}

// Nobody reads, and the pipe is full: the work goes on, and what could be written are whole lines.
TEST(Progress, AFullPipeDoesNotStopTheWork) {
  const JsonPipe pipe;
  for (int i = 0; i < 2000; ++i) Progress("x", 1).finish(std::string(100, 'x'));
  Progress("x", 1).finish(std::string(10'000, 'x'));  // longer than a pipe takes at once
  const std::vector<Json> lines = pipe.lines();
  EXPECT_GT(lines.size(), 100u);
  EXPECT_LT(lines.size(), 2000u);
}

TEST(Progress, ADescriptorThatIsNotOpenIsAnError) {
  EXPECT_THROW(send_progress_as_json(987), Error);
  const int read_only = ::open("/dev/null", O_RDONLY);
  EXPECT_THROW(send_progress_as_json(read_only), Error);
  ::close(read_only);
  EXPECT_FALSE(progress_is_json());
}

TEST(Progress, OtherProcessesDoNotInheritTheDescriptor) {
  const JsonPipe pipe;
  EXPECT_NE(::fcntl(pipe.ends[1], F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Progress, AReaderThatLeavesEndsTheProcess) {
  struct sigaction action {
  }, before{};
  action.sa_handler = [](int) { terminated = true; };
  ::sigaction(SIGTERM, &action, &before);
  {
    JsonPipe pipe;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(terminated);
    ::close(std::exchange(pipe.ends[0], -1));
    for (int i = 0; i < 500 && !terminated; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(terminated);
  }
  ::sigaction(SIGTERM, &before, nullptr);
}

}  // namespace
}  // namespace bitlaw
