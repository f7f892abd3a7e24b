// RUNS/index.sqlite: what a RunTable knew at its last look, and the rows as a table for other programs.
//
//   tidy   a row for each run and cell, without models along the runs: for everyone
//   along  the models kept along the runs and their cells: for everyone
//   runs   directory, state of its files, packed rows and their hash: for the next look
//
// The file is never changed in place, but replaced as a whole by a rename. So processes need no locks,
// which NFS may not have; the last one to write wins, and the state of the files (runs/run_state.h)
// decides what of it still holds. Any other file of this name stays.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "runs/run_table.h"

namespace bitlaw {

class IndexFile {
 public:
  explicit IndexFile(const std::filesystem::path& runs);

  // Empty if there is none, or if it is damaged or of another version.
  std::vector<TableRun> read() const;
  // A sentence that says why it could not be written; "" if it was.
  std::string write(const RunTable& table) const;

  bool exists() const { return kind_ != Kind::kNone; }
  bool is_older_than(std::chrono::seconds age) const;

 private:
  enum class Kind { kNone, kOurs, kEarlier, kForeign };

  std::filesystem::path file_;
  Kind kind_ = Kind::kNone;
};

}  // namespace bitlaw
