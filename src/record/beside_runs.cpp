#include "record/beside_runs.h"

#include <algorithm>
#include <string>

#include "record/run.h"
#include "record/tuning_marks.h"

namespace bitlaw {

bool is_beside_runs(const std::filesystem::path& place) {
  const std::string index = kIndexFile;
  const std::string names[] = {
      kConfigurationsFolder, kLogsFolder,     kDecisionFile, kScriptFile,   kSlurmFile,
      kCondorFile,           kEffortFile,     kTrunksFolder, kSweepLock,    kJobsFile,
      kClaimsFolder,         kFailuresFolder, kTuningFile,   kTuningFolder, index,
      index + "-wal",        index + "-shm",  kSpeedsFile};
  const std::string name = (place.has_filename() ? place : place.parent_path()).filename();
  return std::find(std::begin(names), std::end(names), name) != std::end(names) && !is_run(place);
}

}  // namespace bitlaw
