// Which cells of a grid a run already has, according to its directory: no model is loaded and no
// text is read.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "quantize/cell.h"
#include "quantize/config.h"
#include "record/run.h"

namespace bitlaw {

struct PlannedCell {
  std::string run;
  PtqCell cell;
  std::optional<bool> there;  // empty for a checkpoint, for which that depends on its text
  std::optional<int64_t> at_tokens = std::nullopt;  // of a model kept along the run
};

// Whether the directory is a third-party checkpoint in Hugging Face's layout; otherwise it is a
// run, or a model kept along one (record/kept_model.h). Error if it is none of these.
bool is_checkpoint(const std::filesystem::path& directory);

// The runs and checkpoints among what was given: a directory of runs stands for the runs in it, by
// name, and what a sweep keeps beside its runs (record/beside_runs.h, as in runs/demo/*) is
// left out if anything else is given. Error for a directory without a run.
std::vector<std::string> runs_among(const std::vector<std::string>& given);

// Of several places, those with a model: runs that diverged or have not finished are left out and
// counted. A place alone is kept, for whoever opens it says what is wrong. Error if none is left.
struct FinishedRuns {
  std::vector<std::string> places;
  size_t diverged = 0, unfinished = 0;
};
FinishedRuns finished_among(const std::vector<std::string>& places);

// The key of a cell of a run: what is asked for, on as many tokens as its texts have. Without the
// texts' lengths, on as many as are asked for.
CellKey requested_cell(const PtqCell& cell, const PtqConfig& config, const RunRecord& run);

// The cells of a run or checkpoint, in the order of quantize_run(). A cell exists if a file of the run
// has the same method, format, group, damping, and the number of tokens that the request gives on
// the run's data. Error if run.json or a cell is damaged.
std::vector<PlannedCell> planned_cells(const std::filesystem::path& directory,
                                       const PtqConfig& config);

}  // namespace bitlaw
