// A worker runs the jobs of a study as processes of this machine, a few at a time. As many workers as
// one likes share a directory of runs, on one machine or many: each job is claimed (work/claim.h).
// What is done is in the records of the runs, so a worker may be killed at any moment.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "work/advisor.h"
#include "work/outcome.h"
#include "work/queue.h"

namespace bitlaw {

struct WorkOptions {
  std::filesystem::path runs;
  std::string program;                // the path of bitlaw
  std::filesystem::path directory{};  // where the processes are started; empty: the present one
  int parallel = 1;                   // at a time
  bool quiet = false;                 // no progress
  std::string label = "sweep";
  std::atomic<bool>* stop = nullptr;  // once set, no job is started and the call ends soon
  double seconds = 0;                 // end after that time, as if stopped; 0: no limit
  double memory_bytes = 0;            // of all processes together, as predicted; 0: no limit
  int nice = 0;                       // of the processes
  JobOrder order = JobOrder::kLongest;
  double lease_seconds = 60;    // a claim whose worker is silent for so long is free
  bool wait_for_others = true;  // end when all jobs have ended, also those of other workers
  double idle_seconds = 0;      // end when nothing could be started for so long; 0: stay
  bool tensorboard = false;     // runs also write event files (record/event_file.h)
  Advisor* advisor = nullptr;   // reads the results meanwhile; may be null
};

struct Worked {
  std::vector<JobOutcome> outcomes;  // one per job
  std::string trouble;  // why no job could go on, for example a full disk; empty if there is none
  std::string note;     // of jobs that only another kind of machine can go on with; may be empty
  bool time_over = false;  // WorkOptions::seconds have passed
  bool begun = false;      // this worker has started a job
  bool advanced = false;   // and brought one to its end, or to a later saved state
};

// Leaves out jobs that are done or have failed, and starts none before what it waits for is done; a job
// that fails stops only those that wait for it.
Worked work(const std::vector<Job>& jobs, const WorkOptions& options);

}  // namespace bitlaw
