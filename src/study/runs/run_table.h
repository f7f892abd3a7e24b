// The rows of all runs below a directory. A later look reads only the runs whose files have changed.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "record/tidy_row.h"
#include "runs/tidy_rows.h"

namespace bitlaw {

// A run directory as it was read.
struct TableRun {
  // Name below the directory of runs.
  std::string directory;
  // Of the files that it was read from (runs/run_state.h); empty: not to be relied on.
  std::string state;
  // No rows if run.json or result.json is damaged.
  RunRows read;
};

class RunTable {
 public:
  RunTable() = default;
  // As it was at an earlier look.
  explicit RunTable(std::vector<TableRun> runs) : runs_(std::move(runs)) {}

  struct Changes {
    // Runs that were read.
    size_t read = 0;
    // Whether there are other runs or rows than before.
    bool rows = false;
  };
  // Looks at every run below `runs`, unless `stop` is set meanwhile. Error if that is not a directory,
  // or if it was stopped.
  Changes update(const std::filesystem::path& runs, int threads,
                 const std::atomic<bool>* stop = nullptr);

  // By the names of their directories.
  const std::vector<TableRun>& runs() const { return runs_; }

  // In the order of sort_rows().
  std::vector<TidyRow> rows(Along along) const;
  // The same, without a copy; the table is empty afterwards.
  std::vector<TidyRow> take_rows(Along along);
  // What is damaged or cannot be read.
  std::vector<std::string> problems(Along along) const;

 private:
  std::vector<const TidyRow*> order(Along along) const;

  std::vector<TableRun> runs_;
};

}  // namespace bitlaw
