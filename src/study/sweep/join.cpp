#include "sweep/join.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/dataset.h"
#include "record/beside_runs.h"
#include "work/jobs_file.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// Otherwise each job would fail, one after the other.
void require_data(const StudyJobs& study, const fs::path& directory) {
  for (const auto& [path, hash] : study.data) {
    const fs::path place = fs::path(path).is_absolute() ? fs::path(path) : directory / path;
    std::string found;
    try {
      found = Dataset::open(place).info().hash;
    } catch (const Error& error) {
      throw Error(fmt::format(
          "{}; the study's data must be there on every machine, below the directory that "
          "--directory names",
          error.what()));
    }
    if (found != hash) {
      throw Error(
          fmt::format("{}: is another data set (hash {}) than the study's ({}); copy that one here",
                      place.string(), found.substr(0, 12), hash.substr(0, 12)));
    }
  }
}

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// "" without one: reading the jobs says what to do then.
std::string jobs_hash(const fs::path& runs) {
  std::error_code none;
  return fs::exists(runs / kJobsFile, none) ? hash_hex(read_file(runs / kJobsFile)) : "";
}

// Whether the study has other jobs than it had: another sweep, or the next stage of `tune`. A worker
// that stays waits for them until it was idle for so long.
bool has_other_jobs(const WorkOptions& options, const std::string& hash) {
  const auto begin = Clock::now();
  const double patience = options.wait_for_others ? options.idle_seconds : 0;
  while (true) {
    if (jobs_hash(options.runs) != hash) return true;
    if (seconds_since(begin) >= patience || (options.stop != nullptr && options.stop->load()))
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

// What is left of the time for the next jobs; false if nothing is.
bool take_time(WorkOptions& options, Clock::time_point& since) {
  if (options.seconds > 0) {
    options.seconds -= seconds_since(since);
    if (options.seconds <= 0) return false;
  }
  since = Clock::now();
  return true;
}

}  // namespace

JoinResult join(WorkOptions options, fs::path directory, const SweepNote& note) {
  options.runs = fs::absolute(options.runs);
  auto since = Clock::now();
  std::string hash = jobs_hash(options.runs);
  StudyJobs study = read_study_jobs(options.runs);
  std::error_code none;
  if (directory.empty()) directory = study.directory;
  if (!fs::is_directory(directory, none)) directory = fs::current_path();
  options.directory = directory;
  JoinResult result;
  bool begun = false, advanced = false;
  while (true) {
    require_data(study, directory);
    options.label = study.study;
    note(fmt::format("{}: {} jobs in {}", study.study, study.jobs.size(), options.runs.string()));
    result = {.study = study.study, .jobs = std::move(study.jobs)};
    result.worked = work(result.jobs, options);
    begun = result.worked.begun = begun || result.worked.begun;
    advanced = result.worked.advanced = advanced || result.worked.advanced;
    const bool stopped = options.stop != nullptr && options.stop->load();
    if (stopped || result.worked.time_over || !result.worked.trouble.empty() ||
        !has_other_jobs(options, hash) || !take_time(options, since))
      return result;
    hash = jobs_hash(options.runs);
    study = read_study_jobs(options.runs);
  }
}

}  // namespace bitlaw
