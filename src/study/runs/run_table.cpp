#include "runs/run_table.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "record/result.h"
#include "record/run.h"
#include "record/tuning_marks.h"
#include "runs/packed_rows.h"
#include "runs/run_state.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// One directory at one look.
struct Look {
  TableRun run;
  bool is_run = false, was_read = false, other_rows = false;
};

RunRows read_rows(const fs::path& run, bool tuning) {
  try {
    std::error_code error;
    if (!fs::exists(run_file(run), error) && error)
      throw Error(run_file(run).string() + ": cannot be read: " + error.message());
    RunRows read = read_run_rows(run);
    if (tuning) {
      for (TidyRow& row : read.rows) row.tuning = 1;
    }
    return read;
  } catch (const Error& problem) {
    return {.rows = {}, .problems = {problem.what()}, .problems_along = {}};
  }
}

// `before` (may be null) is moved from if the files are as they were.
Look look_at(const fs::path& directory, bool tuning, TableRun* before) {
  const int64_t now = time_of_files();
  const std::optional<RunState> state = run_state(directory, tuning);
  Look look;
  if (!state) {
    std::error_code none;
    if (!fs::exists(result_file(directory), none)) return look;
    look.is_run = look.was_read = true;
    look.run.directory = directory.filename().string();
    look.run.read.problems.push_back(
        fmt::format("{}: is missing, but there is a result.json; restore it, or remove the "
                    "directory and repeat the run",
                    run_file(directory).string()));
    return look;
  }
  look.is_run = true;
  if (before != nullptr && before->state == state->hash) {
    look.run = std::move(*before);
    return look;
  }
  look.was_read = true;
  look.run.directory = directory.filename().string();
  look.run.read = read_rows(directory, tuning);
  // What is damaged is named at every look, by the path of that look.
  const bool whole = look.run.read.problems.empty() && look.run.read.problems_along.empty();
  if (whole && state->is_settled(now)) look.run.state = state->hash;
  look.other_rows =
      before == nullptr || pack_rows(before->read.rows) != pack_rows(look.run.read.rows);
  return look;
}

}  // namespace

RunTable::Changes RunTable::update(const fs::path& runs, int threads,
                                   const std::atomic<bool>* stop) {
  const std::set<std::string> tuning = tuning_runs(is_run(runs) ? runs.parent_path() : runs);
  std::map<std::string, TableRun*> before;
  for (TableRun& run : runs_) before[run.directory] = &run;
  std::vector<fs::path> directories = find_directories(runs);
  // Of a file system's own, and closed to all but its owner.
  std::erase_if(directories, [](const fs::path& path) { return path.filename() == "lost+found"; });
  std::vector<Look> looks(directories.size());
  ThreadPool(threads).parallel_for(std::ssize(directories), [&](int64_t index, int) {
    if (stop != nullptr && *stop) throw Error("stopped");
    const auto i = static_cast<size_t>(index);
    const std::string name = directories[i].filename().string();
    const auto known = before.find(name);
    looks[i] = look_at(directories[i], tuning.contains(name),
                       known == before.end() ? nullptr : known->second);
  });
  const size_t runs_before = runs_.size();
  runs_.clear();
  Changes changes;
  for (Look& look : looks) {
    if (!look.is_run) continue;
    changes.read += look.was_read;
    changes.rows = changes.rows || look.other_rows;
    runs_.push_back(std::move(look.run));
  }
  changes.rows = changes.rows || runs_.size() != runs_before;
  return changes;
}

std::vector<const TidyRow*> RunTable::order(Along along) const {
  std::vector<const TidyRow*> order;
  for (const TableRun& run : runs_) {
    for (const TidyRow& row : run.read.rows) {
      if (along == Along::kInclude || !row.is_along()) order.push_back(&row);
    }
  }
  sort_rows(order);
  return order;
}

std::vector<TidyRow> RunTable::rows(Along along) const {
  std::vector<TidyRow> rows;
  const std::vector<const TidyRow*> all = order(along);
  rows.reserve(all.size());
  for (const TidyRow* row : all) rows.push_back(*row);
  return rows;
}

std::vector<TidyRow> RunTable::take_rows(Along along) {
  std::vector<TidyRow> rows;
  const std::vector<const TidyRow*> all = order(along);
  rows.reserve(all.size());
  for (const TidyRow* row : all) rows.push_back(std::move(const_cast<TidyRow&>(*row)));
  runs_.clear();
  return rows;
}

std::vector<std::string> RunTable::problems(Along along) const {
  std::vector<std::string> problems;
  for (const TableRun& run : runs_) {
    problems.insert(problems.end(), run.read.problems.begin(), run.read.problems.end());
    if (along == Along::kInclude)
      problems.insert(problems.end(), run.read.problems_along.begin(),
                      run.read.problems_along.end());
  }
  return problems;
}

}  // namespace bitlaw
