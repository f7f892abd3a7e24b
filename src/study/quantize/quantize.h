// The verb `quantize`: runs of our own and third-party checkpoints, each through the same grid of
// cells, each cell measured beside its unquantized model.
//
//   a run           quantize/quantize_run.h; its cells are files of its directory
//   a checkpoint    quantize/quantize_checkpoint.h; its cells go to a record (checkpoint_record.h)
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "quantize/config.h"
#include "quantize/rows.h"

namespace bitlaw {

// What third-party checkpoints need beside the grid.
struct CheckpointOptions {
  std::vector<std::string> text;   // files and folders to calibrate and evaluate on
  std::string records = "runs";    // directory of runs that gets their cells
  double trained_tokens = 0;       // they were trained on, D in the table; 0: not known
  int64_t sequence = 0;            // tokens of a window; 0: their context, at most 1024
  double memory_gigabytes = 4;     // for hidden states; layers come one at a time
  std::string write;               // directory for the rounded checkpoint; empty: none
  std::string write_type = "F32";  // of its rounded weights, or BF16
};

struct QuantizeOptions {
  std::vector<std::string> runs;  // directories of runs, or of checkpoints with a config.json
  PtqConfig grid;
  CheckpointOptions checkpoint;
};

// A piece of work that is done, of runs[run]. The last of a run may be all there is.
struct QuantizeStep {
  size_t run;
  double done, total;
  std::string note;
  bool last;
};
using QuantizeProgress = std::function<void(const QuantizeStep& step)>;

// Error for a directory that is neither a run nor a checkpoint, and for options out of range or
// without an effect.
void check(const QuantizeOptions& options);

// The rows of every run, in the order of ptq_cells(). Checks the options, then goes run by run: an
// Error of one leaves the cells of those before it.
std::vector<CellRow> quantize(const QuantizeOptions& options, ThreadPool& pool,
                              const QuantizeProgress& progress = {});

}  // namespace bitlaw
