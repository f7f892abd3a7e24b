// The jobs of a study as a file, RUNS/jobs.json: all that a worker needs, besides the configurations
// of the runs (RUNS/configurations) and the data.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "work/job.h"

namespace bitlaw {

struct StudyJobs {
  std::string study;                        // its name
  std::filesystem::path directory;          // that relative paths of the data count from
  std::map<std::string, std::string> data;  // hash by path
  std::vector<Job> jobs;                    // without their configurations
};

void write_study_jobs(const std::filesystem::path& runs, const StudyJobs& study);

// Error if there is none, it is damaged, or a later version wrote it.
StudyJobs read_study_jobs(const std::filesystem::path& runs);

}  // namespace bitlaw
