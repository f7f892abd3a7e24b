// What a worker shows while it works: on a terminal a table that is drawn anew, in a log a plain line
// now and then. It goes to standard error.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/progress.h"
#include "work/pace.h"

namespace bitlaw {

struct LiveJob {
  std::string name;
  double seconds = 0;  // since it started
  std::optional<Pace> pace;
};

struct LiveState {
  size_t jobs = 0, done = 0, running_elsewhere = 0, failed = 0;
  double cost_done = 0;           // of the total cost
  std::vector<LiveJob> running;   // here
  std::vector<std::string> last;  // what ended last, newest last
  std::string law{};              // as the results so far have it
};

// The lines below the progress bar, each at most `width` characters.
std::vector<std::string> live_lines(const LiveState& state, size_t width);

// The same as data, for other programs; of the jobs that run at most eight.
Json live_values(const LiveState& state, const std::string& law);

class LiveTable {
 public:
  LiveTable(const std::string& label, double total_cost, bool quiet);
  ~LiveTable();
  void show(const LiveState& state);
  // What the results say so far; "" if nothing. A log gets it when a quarter more jobs have ended than
  // at the last time, and at the end.
  void show_law(const std::string& line, bool last);
  void finish(const std::string& note, const LiveState& state = {});

 private:
  void clear();

  Progress progress_;
  bool terminal_;
  size_t drawn_ = 0;  // lines below the bar
  bool quiet_;
  std::string law_, logged_law_;
  size_t done_ = 0, logged_done_ = 0;  // jobs
};

}  // namespace bitlaw
