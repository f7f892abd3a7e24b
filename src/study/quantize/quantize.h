// The verb `quantize`: applies one grid of cells to our own runs and to third-party checkpoints,
// and compares every cell with its unquantized model.
//
//   a run           quantize/quantize_run.h; its cells are files in its directory
//   a checkpoint    quantize/quantize_checkpoint.h; its cells go to a record (checkpoint_record.h)
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "quantize/cell_row.h"
#include "quantize/config.h"

namespace bitlaw {

// What third-party checkpoints need in addition to the grid.
struct CheckpointOptions {
  std::vector<std::string> text;   // files and folders for calibration and evaluation
  std::string text_key = "text";   // of the text in JSON (data/json_documents.h)
  bool worse_than_chance = false;  // measure also what knows less of the text than a uniform guess
  std::string records = "runs";    // directory of runs where results are recorded
  double trained_tokens = 0;       // tokens of training, D in the table; 0: not known
  int64_t sequence = 0;            // tokens of a window; 0: the context, at most 1024
  double memory_gigabytes = 4;     // for hidden states; layers are read one at a time
  std::string write;               // directory for the rounded checkpoint; empty: none
  std::string write_type = "F32";  // of its rounded weights, or BF16
};

struct QuantizeOptions {
  std::vector<std::string> runs;  // directories of runs, or of checkpoints with a config.json
  PtqConfig grid;
  CheckpointOptions checkpoint;
};

// A finished piece of work on runs[run]; `last` marks the last one of a run, which may be the only
// one.
struct QuantizeStep {
  size_t run;
  double done, total;
  std::string note;
  bool last;
};
using QuantizeProgress = std::function<void(const QuantizeStep& step)>;

// Error for a directory that is neither a run nor a checkpoint, and for options that are out of
// range or have no effect.
void check(const QuantizeOptions& options);

// The rows of every run, in the order of ptq_cells(). Checks the options, then processes run by
// run; after an Error in one, the cells of earlier runs are kept. An Error, too, for a checkpoint
// that knows less of its text than a uniform guess (quantize/chance.h). `damaged` as in
// quantize/quantize_run.h. Notes are said.
std::vector<CellRow> quantize(const QuantizeOptions& options, ThreadPool& pool,
                              const QuantizeProgress& progress = {},
                              std::vector<std::string>* damaged = nullptr);

}  // namespace bitlaw
