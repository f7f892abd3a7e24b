// The index of runs: the tidy rows of a directory, selected by conditions. They are also written to
// an SQLite table for other programs, which is rewritten every time and can be deleted at any time.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "record/tidy_row.h"
#include "runs/tidy_rows.h"

namespace bitlaw {

class RunIndex {
 public:
  // Reads every run directory below `runs`, and writes <runs>/index.sqlite if there is a run and
  // that can be written.
  // A damaged run is left out and named by problems().
  explicit RunIndex(const std::filesystem::path& runs, Along along = Along::kLeaveOut);

  // Rows that meet every condition (base/condition.h), such as "P_w=3,4", "D/N>20", "method!=none",
  // in the order of read_tidy_rows().
  std::vector<TidyRow> select(const std::vector<std::string>& conditions) const;
  // The same, with a note on each old name in the conditions (record/old_names.h).
  std::vector<TidyRow> select(const std::vector<std::string>& conditions,
                              std::vector<std::string>& notes) const;

  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::vector<std::string> problems_;  // filled while the rows are read
  std::vector<TidyRow> rows_;
};

// Whether a condition is about models along the runs: it names run_fraction. Error if one does not
// parse.
bool ask_for_models_along(const std::vector<std::string>& conditions);

}  // namespace bitlaw
