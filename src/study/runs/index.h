// The index of runs: the tidy rows of a directory, selected by conditions. RUNS/index.sqlite
// (runs/index_file.h) keeps them, so that only runs whose files have changed are read again. It can be
// deleted at any time (docs/decisions/0021-index-of-runs.md).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "record/tidy_row.h"
#include "runs/tidy_rows.h"

namespace bitlaw {

class RunIndex {
 public:
  // Looks at every run directory below `runs`. What is damaged or cannot be read is left out and
  // named by problems().
  explicit RunIndex(const std::filesystem::path& runs, Along along = Along::kLeaveOut);

  // Rows that meet every condition (base/condition.h), such as "P_w=3,4", "D/N>20", "method!=none",
  // in the order of sort_rows().
  std::vector<TidyRow> select(const std::vector<std::string>& conditions) const&;
  // The same, with a note on each old name in the conditions (record/old_names.h).
  std::vector<TidyRow> select(const std::vector<std::string>& conditions,
                              std::vector<std::string>& notes) const&;
  // The same without a copy; the index has no rows afterwards.
  std::vector<TidyRow> select(const std::vector<std::string>& conditions,
                              std::vector<std::string>& notes) &&;

  const std::vector<std::string>& problems() const { return problems_; }
  // Why the index could not be written; "" if nothing was in the way. The rows are complete all the
  // same.
  const std::string& note() const { return note_; }

 private:
  std::vector<TidyRow> rows_;
  std::vector<std::string> problems_;
  std::string note_;
};

// Whether a condition is about models along the runs: it names run_fraction. Error if one does not
// parse.
bool ask_for_models_along(const std::vector<std::string>& conditions);

}  // namespace bitlaw
