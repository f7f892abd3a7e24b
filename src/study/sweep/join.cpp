#include "sweep/join.h"

#include <fmt/format.h>

#include "base/error.h"
#include "data/dataset.h"
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

}  // namespace

JoinResult join(WorkOptions options, fs::path directory, const SweepNote& note) {
  StudyJobs study = read_study_jobs(options.runs);
  std::error_code none;
  if (directory.empty()) directory = study.directory;
  if (!fs::is_directory(directory, none)) directory = fs::current_path();
  require_data(study, directory);
  options.runs = fs::absolute(options.runs);
  options.directory = directory;
  options.label = study.study;
  note(fmt::format("{}: {} jobs in {}", study.study, study.jobs.size(), options.runs.string()));
  JoinResult result{.study = study.study, .jobs = std::move(study.jobs)};
  result.worked = work(result.jobs, options);
  return result;
}

}  // namespace bitlaw
