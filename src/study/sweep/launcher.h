// A launcher runs the jobs of a sweep, or hands them to something that does. It is a function and a
// line of the table in launcher.cpp. It keeps no state: a job is done when the record of its run says
// so, so a sweep can be stopped at any moment and launched again.
#pragma once

#include <atomic>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "sweep/job.h"

namespace bitlaw {

enum class JobState { kWaiting, kRunning, kDone, kFailed, kSkipped /* what it waits for failed */ };

struct JobOutcome {
  JobState state = JobState::kWaiting;
  int exit_code = 0;    // kFailed: the exit status, or 128 + the signal
  std::string message;  // kFailed: the last line of the log
};

struct LaunchOptions {
  std::filesystem::path runs;
  std::string program;  // the path of bitlaw
  int parallel = 1;     // processes at a time, on this machine
  bool quiet = false;   // no progress
  std::string label = "sweep";
  std::atomic<bool>* stop = nullptr;  // once set, no job is started and the call ends soon
};

struct Launched {
  std::vector<JobOutcome> outcomes;  // one per job
  std::string note;                  // what to do next, for people; may be empty
};

struct Launcher {
  const char* name;  // of --launcher
  const char* help;  // how the jobs are run
  // Leaves out jobs that are done, and starts none before the job that it waits for is done; a job
  // that fails stops only those that wait for it. The files of write_job_files() are there.
  Launched (*launch)(const std::vector<Job>& jobs, const LaunchOptions& options);
  // The jobs run on this machine, and have ended when the call returns. Otherwise they come with
  // their memory_bytes.
  bool works_here = false;
};

// What launchers start from: kDone or kWaiting, as the records of the runs say.
std::vector<JobOutcome> outcomes_so_far(const std::vector<Job>& jobs,
                                        const std::filesystem::path& runs);

std::span<const Launcher> launchers();
const Launcher& launcher_named(const std::string& name);  // Error with the nearest
std::string launcher_help();                              // of --launcher

// The functions of the table, each in a file of its name.
Launched launch_local(const std::vector<Job>& jobs, const LaunchOptions& options);
Launched launch_script(const std::vector<Job>& jobs, const LaunchOptions& options);

}  // namespace bitlaw
