// Progress with time left: one line redrawn on a terminal, an occasional plain line in a log. Everything
// goes to standard error; standard output is for results. Or lines of JSON, for another program
// (docs/progress.md):
//
//   {"progress": "train 0a1b", "done": 10, "total": 400, "seconds": 1.5, "seconds_left": 58.5, "note": ...}
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/json.h"

namespace bitlaw {

class Progress {
 public:
  // What a line of JSON has besides; asked for only when one is due.
  using Values = std::function<Json()>;

  // `total` in any unit (steps, tokens, cells).
  Progress(std::string label, double total, bool quiet = false);
  ~Progress();
  void update(double done, const std::string& note = "", const Values& values = {});
  void finish(const std::string& note = "", const Values& values = {});

 private:
  void draw(const std::string& note, const Values& values, bool last);

  using Clock = std::chrono::steady_clock;
  std::string label_;
  double total_, done_ = 0, first_ = -1;
  bool quiet_, terminal_, finished_ = false;
  Clock::time_point start_, last_draw_;
};

// From now on progress is written to this descriptor as lines of JSON. One that is a pipe or a socket, and
// not standard error, is watched and never waited for: a line that does not fit is left out, and once
// its reader has left, this process gets SIGTERM, so that nothing goes on that nobody asks for any more.
// Processes that are started later do not inherit it. Error if it is not open for writing.
void send_progress_as_json(int descriptor);
// To nobody but people again.
void end_progress_as_json();
bool progress_is_json();

}  // namespace bitlaw
