// How a job stands, as the records of its run, its claim and its failure say.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "work/job.h"

namespace bitlaw {

enum class JobState { kWaiting, kRunning, kDone, kFailed, kSkipped /* what it waits for failed */ };

struct JobOutcome {
  JobState state = JobState::kWaiting;
  int exit_code = 0;    // kFailed: the exit status, or 128 + the signal
  std::string message;  // kFailed: what went wrong; kRunning: who works on it
};

// kDone, kFailed or kWaiting, as the records say. A run whose record is damaged counts as failed.
std::vector<JobOutcome> outcomes_so_far(const std::vector<Job>& jobs,
                                        const std::filesystem::path& runs);

// The same of one job.
JobOutcome outcome_so_far(const Job& job, const std::filesystem::path& runs);

}  // namespace bitlaw
