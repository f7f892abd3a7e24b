#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/text.h"

namespace bitlaw {
namespace {

constexpr double kTerminalSeconds = 0.2;  // between two drawings
constexpr double kLogSeconds = 10;

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

}  // namespace

Progress::Progress(std::string label, double total, bool quiet)
    : label_(std::move(label)),
      total_(total),
      quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) != 0),
      start_(Clock::now()),
      last_draw_(start_) {}

Progress::~Progress() {
  if (!finished_ && terminal_ && !quiet_) std::fputc('\n', stderr);
}

void Progress::update(double done, const std::string& note) {
  if (first_ < 0) {  // work done before this process began does not count towards the rate
    first_ = done;
    start_ = Clock::now();
  }
  done_ = done;
  if (seconds_between(last_draw_, Clock::now()) < (terminal_ ? kTerminalSeconds : kLogSeconds))
    return;
  draw(note, false);
}

void Progress::finish(const std::string& note) {
  done_ = total_;
  finished_ = true;
  draw(note, true);
}

void Progress::draw(const std::string& note, bool last) {
  last_draw_ = Clock::now();
  if (quiet_) return;
  const double elapsed = seconds_between(start_, last_draw_);
  const double fresh = done_ - std::max(first_, 0.0);
  const double share = total_ > 0 ? std::clamp(done_ / total_, 0.0, 1.0) : 1;
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
