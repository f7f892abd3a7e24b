// A third-party checkpoint as a run directory, so that tables, fits and reports read its cells like
// those of any run (runs/tidy_rows.h):
//
//   RUNS/<hash of weights, architecture and evaluation text>/
//     run.json       family, shape, N, hash of the weights, hash of the evaluation text
//     result.json    its own loss on that text, after the first complete call
//     ptq/*.json     its cells
//
// The architecture is what config.json means (hf::meaning_of), not its spelling. Records of earlier
// versions, whose names have the hash of that file, keep their names and cells.
//
// A checkpoint does not record how many tokens it was trained on, so the caller gives D.
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
  std::string architecture_hash;
  RunRecord run;
};

// The record of `checkpoint`, without writing it. `trained_tokens` 0: not known. Errors as in
// hf/config.h and hf/weights.h.
CheckpointRecord make_checkpoint_record(const std::filesystem::path& checkpoint,
                                        const std::filesystem::path& runs,
                                        const TextWindows& evaluation, int64_t trained_tokens,
                                        ThreadPool& pool);

// Writes run.json, before the first cell. An existing record keeps its D if this one has none.
// Returns the created paths, innermost first.
std::vector<std::filesystem::path> begin_checkpoint_record(const CheckpointRecord& record);

// Removes what begin_checkpoint_record() created, if no cell was written.
void take_back_record(const CheckpointRecord& record,
                      const std::vector<std::filesystem::path>& made);

// Writes result.json, from the baseline of a cell of quantize_checkpoint().
void finish_checkpoint_record(const CheckpointRecord& record, const CellRecord& cell);

}  // namespace bitlaw
