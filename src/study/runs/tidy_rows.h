// The tidy table of a directory of runs: a row for each run, followed by one for each of its cells.
// The run directories (record/) are the only source; nothing else has to be kept.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "record/cell.h"
#include "record/result.h"
#include "record/run.h"
#include "record/tidy_row.h"

namespace bitlaw {

// The row of a run with this record; without a result, what is known of it before it starts.
TidyRow tidy_row_of(const std::string& name, const RunRecord& record,
                    const std::optional<ResultRecord>& result = std::nullopt);

// The row of a cell of the model that has the row `run`.
TidyRow tidy_row_of(const TidyRow& run, const CellRecord& cell);

// Models kept along the runs (record/kept_model.h), and their cells.
enum class Along { kLeaveOut, kInclude };

// All rows of one run: first the run itself (method "none"), then the models along it, then the cells
// of all these in the order of their files.
struct RunRows {
  std::vector<TidyRow> rows;
  // Files that are damaged or cannot be read; what they say is not in the rows.
  std::vector<std::string> problems;
  // The same about models along the run.
  std::vector<std::string> problems_along;
};

// Error if run.json or result.json is damaged.
RunRows read_run_rows(const std::filesystem::path& run);

// Puts rows into the order of the table: N, D, bits, run and method.
void sort_rows(std::vector<const TidyRow*>& rows);

}  // namespace bitlaw
