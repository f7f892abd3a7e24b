// Jobs as processes of this machine. Other workers may share them (work/worker.h).

#include <utility>

#include "sweep/launcher.h"

namespace bitlaw {

Launched launch_local(const std::vector<Job>& jobs, const LaunchOptions& options) {
  Worked worked = work(jobs, options);
  return {.outcomes = std::move(worked.outcomes),
          .note = std::move(worked.note),
          .trouble = std::move(worked.trouble)};
}

}  // namespace bitlaw
