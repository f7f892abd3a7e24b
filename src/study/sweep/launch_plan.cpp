#include "sweep/launch_plan.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "runs/effort.h"
#include "work/jobs_file.h"

namespace bitlaw {
namespace {

std::map<std::string, std::string> data_hashes(const SweepPlan& plan) {
  std::map<std::string, std::string> hashes;
  for (const auto& [path, info] : plan.data) hashes[path] = info.hash;
  return hashes;
}

}  // namespace

Launched launch_plan(std::vector<Job> jobs, const SweepPlan& plan, const Launcher& launcher,
                     const LaunchOptions& options, std::chrono::steady_clock::time_point start) {
  if (!launcher.works_here || options.memory_bytes > 0) predict_memory(jobs, plan);
  make_directories(options.runs);
  write_job_files(jobs, options.runs);
  write_study_jobs(options.runs, {.study = plan.study.name,
                                  .directory = std::filesystem::current_path(),
                                  .data = data_hashes(plan),
                                  .jobs = jobs});
  const std::vector<JobOutcome> before = outcomes_so_far(jobs, options.runs);
  const bool done = std::all_of(before.begin(), before.end(), [](const JobOutcome& outcome) {
    return outcome.state == JobState::kDone;
  });
  Launched launched = launcher.launch(jobs, options);
  BITLAW_CHECK(launched.outcomes.size() == jobs.size());
  if (!done && launcher.works_here && launched.trouble.empty())
    add_effort(options.runs,
               std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return launched;
}

}  // namespace bitlaw
