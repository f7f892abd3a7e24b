// Which cells of a grid a run already has, told from its directory alone: no model is loaded and no
// text is read.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "quantize/config.h"

namespace bitlaw {

struct PlannedCell {
  std::string run;
  PtqCell cell;
  std::optional<bool> there;  // unknown for a checkpoint, where that depends on its text
};

// A directory in Hugging Face's layout that no training of ours has left; otherwise a run. Error
// where it can be neither.
bool is_checkpoint(const std::filesystem::path& directory);

// The cells of a run or checkpoint, in the order of ptq_cells(). A cell is there where a file of the
// run says the same method, format, group, damping, and as many tokens as the request comes to on the
// run's data. Error where run.json or a cell is damaged.
std::vector<PlannedCell> planned_cells(const std::filesystem::path& directory,
                                       const PtqConfig& config);

}  // namespace bitlaw
