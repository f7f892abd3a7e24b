#include "work/outcome.h"

#include "base/error.h"
#include "work/failure.h"

namespace bitlaw {

JobOutcome outcome_so_far(const Job& job, const std::filesystem::path& runs) {
  try {
    if (is_done(job, runs)) return {.state = JobState::kDone};
    if (const auto failure = read_failure(job, runs))
      return {JobState::kFailed, failure->exit_code, failure->message};
    return {};
  } catch (const Error& error) {
    return {JobState::kFailed, 1, error.what()};
  }
}

std::vector<JobOutcome> outcomes_so_far(const std::vector<Job>& jobs,
                                        const std::filesystem::path& runs) {
  std::vector<JobOutcome> outcomes;
  outcomes.reserve(jobs.size());
  for (const Job& job : jobs) outcomes.push_back(outcome_so_far(job, runs));
  return outcomes;
}

}  // namespace bitlaw
