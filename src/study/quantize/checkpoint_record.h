// A third-party checkpoint as a run directory, so that tables, fits and reports read its cells
// as those of any run (runs/tidy_rows.h):
//
//   RUNS/<hash of weights, config.json and evaluation text>/
//     run.json       family, shape, N, the hash of its weights, the text it is evaluated on
//     result.json    its own loss on that text, once the first call is through
//     ptq/*.json     its cells
//
// Nothing in a checkpoint says how many tokens it was trained on: D is what the caller knows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/parallel.h"
#include "quantize/checkpoint_text.h"
#include "record/cell.h"
#include "record/run.h"

namespace bitlaw {

struct CheckpointRecord {
  std::filesystem::path directory;
  std::string name;  // of the directory
  RunRecord run;
};

// What the record of `checkpoint` would be; writes nothing. `trained_tokens` 0: not known. Errors of
// hf/config.h and hf/weights.h.
CheckpointRecord make_checkpoint_record(const std::filesystem::path& checkpoint,
                                        const std::filesystem::path& runs,
                                        const TextWindows& evaluation, int64_t trained_tokens,
                                        ThreadPool& pool);

// run.json, before the first cell. A record that is there keeps the D it knows where this one knows
// none. Returns what was made, innermost first.
std::vector<std::filesystem::path> begin_checkpoint_record(const CheckpointRecord& record);

// Takes back what begin_checkpoint_record() made, where no cell came of it.
void take_back_record(const CheckpointRecord& record,
                      const std::vector<std::filesystem::path>& made);

// result.json, from the baseline of a cell of quantize_checkpoint().
void finish_checkpoint_record(const CheckpointRecord& record, const CellRecord& cell);

}  // namespace bitlaw
