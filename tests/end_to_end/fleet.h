// The processes of a study: schedulers and workers that share one directory of runs, and the jobs
// that they start. Any of them can be killed, stopped and started again.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/program.h"

namespace bitlaw {

class Fleet {
 public:
  // Jobs whose parents have been killed become children of this process, so none gets out of sight.
  explicit Fleet(const Surroundings& around);
  ~Fleet();  // kills them all
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // A member: the arguments of the program. start_missing() starts it, again and again.
  void add(std::vector<std::string> arguments);
  size_t size() const { return members_.size(); }
  void start_missing();
  bool runs(size_t member) const { return members_[member].pid > 0; }
  bool anyone_runs() const;

  // Kills a member, and leaves its jobs to themselves. False if it does not run.
  bool kill(size_t member);
  // Kills all processes at once.
  void kill_all();
  // Kills a job, which `pick` chooses by a number below that of jobs. A member sees two of its jobs
  // killed: at the third, which it would take for the job's fault, it dies as well. False if there
  // is no job.
  bool kill_job(size_t pick);
  // Stops a member, with its jobs or without; look() lets it go on after `duration`, go_on() at once.
  bool stop(size_t member, bool with_jobs, std::chrono::milliseconds duration);
  void go_on();

  // Takes up processes that have ended. A member that failed by itself is a failure of the test.
  void look();

 private:
  struct Member {
    std::vector<std::string> arguments;
    std::filesystem::path errors;
    pid_t pid = 0;        // 0: does not run
    int jobs_killed = 0;  // since it was started
  };
  struct Stopped {
    pid_t pid;
    std::chrono::steady_clock::time_point until;
  };
  std::vector<pid_t> jobs() const;  // of members, and of those that were killed

  Surroundings around_;
  Folder folder_;
  std::vector<Member> members_;
  std::vector<Stopped> stopped_;
};

}  // namespace bitlaw
