// The tidy table of a directory of runs: a row for each run, followed by one for each of its cells.
// The run directories (record/) are the only source; nothing else has to be kept.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "record/result.h"
#include "record/run.h"
#include "record/tidy_row.h"

namespace bitlaw {

// The row of a run with this record; without a result, what is known of it before it starts.
TidyRow tidy_row_of(const std::string& name, const RunRecord& record,
                    const std::optional<ResultRecord>& result = std::nullopt);

// Models kept along the runs (record/kept_model.h), and their cells.
enum class Along { kLeaveOut, kInclude };

// First the run itself (method "none"), then the models along it, then the cells of all these in the
// order of their files. Error if run.json or result.json is damaged; a damaged cell is left out and
// named in `problems`, as are damaged lines about the models along it.
std::vector<TidyRow> tidy_rows_of(const std::filesystem::path& run,
                                  std::vector<std::string>& problems,
                                  Along along = Along::kLeaveOut);

// All runs below `runs`, in the order of N, D, bits, run and method. A damaged run is left out and
// named in `problems`. Error if `runs` is not a directory.
std::vector<TidyRow> read_tidy_rows(const std::filesystem::path& runs,
                                    std::vector<std::string>& problems,
                                    Along along = Along::kLeaveOut);

}  // namespace bitlaw
