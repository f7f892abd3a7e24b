// What is to be reproduced: a run with its record, and the number of a table to hold against it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "train/run.h"

namespace bitlaw {

struct Subject {
  TrainedRun run;
  std::optional<double> loss_in_table;
};

// `what` is the directory of a run, or TABLE.csv:ROW; `runs` that of the runs of a table, empty: where
// the table is. Error if it is neither, the run has not ended, or the row is not of a whole run.
Subject find_subject(const std::string& what, const std::string& runs);

}  // namespace bitlaw
