#include "base/progress.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace bitlaw {
namespace {

constexpr double kTerminalSeconds = 0.2;  // between two drawings
constexpr double kLogSeconds = 10;

std::atomic<int> json_descriptor{-1};  // -1: progress is for people
std::atomic<int> changes{0};           // of it

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

double seconds_between_lines(bool terminal) {
  return progress_is_json() || terminal ? kTerminalSeconds : kLogSeconds;
}

// Whole or not at all: a line that is longer than a pipe takes at once could be torn.
void write_json_line(const Json& values) {
  constexpr size_t kWholeInPipe = 4096;  // PIPE_BUF
  const std::string line = dump_json(values) + '\n';
  if (line.size() > kWholeInPipe) return;
  while (::write(json_descriptor, line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

bool is_pipe(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 &&
         (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

void end_once_reader_has_left(int descriptor, int change) {
  pollfd watched{descriptor, 0, 0};
  while (::poll(&watched, 1, -1) < 0 && errno == EINTR) {
  }
  if (changes == change && (watched.revents & (POLLERR | POLLHUP))) ::kill(::getpid(), SIGTERM);
}

// Signals stay with the threads that were there.
void watch_reader(int descriptor) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread(end_once_reader_has_left, descriptor, ++changes).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

void send_progress_as_json(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
    throw Error(
        fmt::format("--progress json:{0}: descriptor {0} is not open for writing", descriptor));
  json_descriptor = descriptor;
  if (descriptor <= STDERR_FILENO) return;
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  if (!is_pipe(descriptor)) return;
  ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
  watch_reader(descriptor);
}

void end_progress_as_json() {
  json_descriptor = -1;
  ++changes;
}

bool progress_is_json() {
  return json_descriptor >= 0;
}

Progress::Progress(std::string label, double total, bool quiet)
    : label_(std::move(label)),
      total_(total),
      quiet_(quiet),
      terminal_(!progress_is_json() && ::isatty(STDERR_FILENO) != 0),
      start_(Clock::now()),
      last_draw_(start_) {}

Progress::~Progress() {
  if (!finished_ && terminal_ && !quiet_) std::fputc('\n', stderr);
}

void Progress::update(double done, const std::string& note, const Values& values) {
  const bool begins = first_ < 0;
  if (begins) {  // work done before this process began does not count towards the rate
    first_ = done;
    start_ = Clock::now();
  }
  done_ = done;
  const bool due = seconds_between(last_draw_, Clock::now()) >= seconds_between_lines(terminal_);
  if (due || (begins && progress_is_json())) draw(note, values, false);
}

void Progress::finish(const std::string& note, const Values& values) {
  done_ = total_;
  finished_ = true;
  draw(note, values, true);
}

void Progress::draw(const std::string& note, const Values& values, bool last) {
  last_draw_ = Clock::now();
  if (quiet_) return;
  const double elapsed = seconds_between(start_, last_draw_);
  const double fresh = done_ - std::max(first_, 0.0);
  const double share = total_ > 0 ? std::clamp(done_ / total_, 0.0, 1.0) : 1;
  if (progress_is_json()) {
    Json line{{"progress", label_}, {"done", done_}, {"total", total_}, {"seconds", elapsed}};
    if (!last && fresh > 0) line["seconds_left"] = elapsed * (total_ - done_) / fresh;
    if (last) line["finished"] = true;
    line["note"] = note;
    if (values) line.update(values());
    write_json_line(line);
    return;
  }
  std::string time =
      last        ? fmt::format("in {}", format_duration(elapsed))
      : fresh > 0 ? fmt::format("{} left", format_duration(elapsed * (total_ - done_) / fresh))
                  : "";
  if (terminal_) {
    constexpr int kWidth = 24;
    const int filled = static_cast<int>(share * kWidth);
    std::fputs(
        fmt::format("\r\033[K{} [{:<{}}] {:3.0f}%  {}  {}{}", label_, std::string(filled, '#'),
                    kWidth, 100 * share, time, note, last ? "\n" : "")
            .c_str(),
        stderr);
  } else {
    std::fputs(fmt::format("{} {:3.0f}%  {}  {}\n", label_, 100 * share, time, note).c_str(),
               stderr);
  }
  std::fflush(stderr);
}

}  // namespace bitlaw
