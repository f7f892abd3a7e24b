// The verb `work`: one more worker for a study that `bitlaw sweep` has begun.
#pragma once

#include <filesystem>

#include "sweep/minutes.h"
#include "work/worker.h"

namespace bitlaw {

struct JoinResult {
  std::string study;
  std::vector<Job> jobs;
  Worked worked;
};

// Takes jobs of the study whose runs are in `options.runs`, from its jobs.json, until none is left to
// take; goes on with others if there are others in that file then (another sweep, the next stage of
// `tune`). With wait_for_others it looks for them until it was idle for idle_seconds. `directory`: where relative paths of the data count from; empty: where the sweep was started.
// Error if the directory is no study's, or the data of the study are not there.
JoinResult join(WorkOptions options, std::filesystem::path directory, const SweepNote& note);

}  // namespace bitlaw
