// Which cells of post-training quantization a run already has, told from its directory alone: no
// model is loaded and no text is read.
#pragma once

#include <filesystem>

#include "base/json.h"
#include "quantize/config.h"

namespace bitlaw::cli {

// One object per cell of `config`, in the order of ptq_cells(): run, cell (in words), method, format,
// group, calibration_seed, there.
// A cell is there where a file of the run says the same method, format, group, damping, and as many
// tokens as the request comes to on the run's data. Error where run.json or a cell is damaged.
Json planned_cells(const std::filesystem::path& run, const PtqConfig& config);

// The same objects of a checkpoint that is not a run; `there` is null, since that depends on its
// text.
Json checkpoint_cells(const std::filesystem::path& checkpoint, const PtqConfig& config);

}  // namespace bitlaw::cli
