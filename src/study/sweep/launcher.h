// Runs the jobs of a study as processes of this machine, a few at a time, and remembers nothing
// itself: a job is done when its result exists. Killing a sweep and starting it again is always
// safe.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace bitlaw {

struct Job {
  std::string name;                  // unique, for people and logs
  std::vector<std::string> command;  // program and arguments
  std::filesystem::path log;         // its output, replaced at each start
  double cost = 1;  // any unit, the same for all; orders the queue and weighs progress
  int after = -1;   // index of a job that must have succeeded first
  std::function<double()> share;  // of it that is done while it runs, 0..1; may be empty
  std::function<bool()> done;     // true where nothing is left to do
};

enum class JobState { kWaiting, kRunning, kDone, kFailed, kSkipped /* what it waits for failed */ };

struct JobOutcome {
  JobState state = JobState::kWaiting;
  int exit_code = 0;    // kFailed: the exit status, or 128 + the signal
  std::string message;  // kFailed: the last line of the log
};

struct LaunchOptions {
  int parallel = 1;    // processes at a time
  bool quiet = false;  // no progress
  std::string label = "sweep";
  std::atomic<bool>* stop =
      nullptr;  // set: running jobs get SIGTERM and finish their step, none is started
};

// Longest first. Returns an outcome per job; a failed job does not stop the others. Jobs that are
// `done` are not started.
std::vector<JobOutcome> launch_local(const std::vector<Job>& jobs, const LaunchOptions& options);

// How long launch_local takes if every job takes its cost and none is done yet, in the unit of the
// costs.
double planned_duration(const std::vector<Job>& jobs, int parallel);

}  // namespace bitlaw
