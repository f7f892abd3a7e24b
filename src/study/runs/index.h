// The index of runs: one SQLite table, rebuilt from the run directories, that answers filters.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "record/tidy_row.h"

struct sqlite3;

namespace bitlaw {

class RunIndex {
 public:
  // Reads every run directory below `runs` into a fresh index, kept as <runs>/index.sqlite where
  // that can be written and in memory where it cannot. A damaged run is left out and named by
  // problems().
  explicit RunIndex(const std::filesystem::path& runs);
  ~RunIndex();
  RunIndex(const RunIndex&) = delete;
  RunIndex& operator=(const RunIndex&) = delete;

  // Tidy rows that meet every condition. A condition is COLUMN=VALUE or with !=, <, <=,
  // >, >=
  // ("P_w=4", "N>1e5", "method!=none"); an unknown column is an Error that names the nearest.
  // In the order of read_tidy_rows().
  std::vector<TidyRow> select(const std::vector<std::string>& conditions) const;

  const std::vector<std::string>& problems() const { return problems_; }

 private:
  sqlite3* database_ = nullptr;
  std::vector<std::string> problems_;
};

}  // namespace bitlaw
