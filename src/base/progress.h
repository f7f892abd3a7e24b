// Progress with time left: one line redrawn on a terminal, an occasional plain line in a log.
// Everything goes to standard error; standard output is for results.
#pragma once

#include <chrono>
#include <string>

namespace bitlaw {

class Progress {
 public:
  // `total` in any unit (steps, tokens, cells).
  Progress(std::string label, double total, bool quiet = false);
  ~Progress();
  void update(double done, const std::string& note = "");
  void finish(const std::string& note = "");

 private:
  void draw(const std::string& note, bool last);

  using Clock = std::chrono::steady_clock;
  std::string label_;
  double total_, done_ = 0, first_ = -1;
  bool quiet_, terminal_, finished_ = false;
  Clock::time_point start_, last_draw_;
};

}  // namespace bitlaw
