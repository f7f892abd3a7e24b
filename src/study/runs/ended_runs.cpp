#include "runs/ended_runs.h"

#include "base/error.h"
#include "base/hash.h"
#include "record/result.h"
#include "record/run.h"

namespace bitlaw {
namespace {

std::string no_runs_in(const std::string& path, bool damaged) {
  if (damaged) return path + ": has no undamaged run";
  if (is_run(path)) return path + ": is one run; give the directory that contains it";
  return path +
         ": is a directory without runs; give the one that `bitlaw train` or `bitlaw sweep` "
         "wrote, or a file";
}

}  // namespace

EndedRuns ended_runs(const std::string& path, const RunIndex& index) {
  EndedRuns out{index.select({}), ""};
  if (out.rows.empty()) throw Error(no_runs_in(path, !index.problems().empty()));
  // As `bitlaw runs` lists them without models along the runs.
  std::vector<TidyRow> whole = out.rows;
  std::erase_if(whole, [](const TidyRow& row) { return row.is_along(); });
  out.hash = hash_hex(tidy_to_csv(whole));
  std::erase_if(out.rows,
                [](const TidyRow& row) { return row.status == name_of(RunStatus::kStarted); });
  if (out.rows.empty())
    throw Error(path +
                ": no run has ended; `bitlaw runs` lists them, the same `bitlaw train` or "
                "`bitlaw sweep` resumes them");
  return out;
}

}  // namespace bitlaw
