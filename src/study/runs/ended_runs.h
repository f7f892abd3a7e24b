// A directory of runs as a table to fit: the rows of all runs that have ended, with the models kept along
// them.
#pragma once

#include <string>
#include <vector>

#include "record/tidy_row.h"
#include "runs/index.h"

namespace bitlaw {

struct EndedRuns {
  std::vector<TidyRow> rows;
  std::string hash;  // of the CSV that `bitlaw runs` writes of the directory
};

// `index`: of the directory `path`, with models along the runs. Error, in one sentence, if no run in it
// has ended.
EndedRuns ended_runs(const std::string& path, const RunIndex& index);

}  // namespace bitlaw
