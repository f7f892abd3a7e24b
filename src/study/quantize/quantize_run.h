// Post-training quantization of a trained run: one baseline, one calibration, and a file per cell.
//
//   RUN/ptq/<hash of the resolved cell>.json
//
// The same for models kept along a run (record/kept_model.h), whose cells say after how many tokens.
//
// The hash covers the checkpoint, its recipe, the cell itself (quantize/cell.h), and the
// calibration and evaluation tokens. A cell whose file exists is never computed again, so a killed
// command resumes where it stopped. Busy (base/file_lock.h) while another process computes cells of
// the run.
//
// The model is evaluated as it was trained, except for the weights of the projections, and for
// activations, keys and values if the cell rounds those. The quantized weights are the FP32 ones
// that training kept, so RTN at the training format gives the trained model itself.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "quantize/cell_row.h"
#include "quantize/config.h"
#include "record/run.h"

namespace bitlaw {

// Called when a piece of work is done; `total` counts the baseline, the calibrations and every
// cell.
using PtqProgress = std::function<void(double done, double total, const std::string& note)>;

// The record of a run that was trained here. Error if the directory is not one.
RunRecord read_own_run(const std::filesystem::path& run);

// The models that are quantized for a directory: that of a run, or RUN/checkpoints/tokens-N.
struct ModelsOfRun {
  std::filesystem::path run;
  // Tokens of models kept along the run, ascending; empty for the final one, which comes first.
  std::vector<std::optional<int64_t>> at_tokens;
};
ModelsOfRun models_of_run(const std::filesystem::path& directory, bool along);

// `run` is the directory of a run: its final model, then with config.along those along it, by their
// tokens. Or it is that of one of those, RUN/checkpoints/tokens-N. One row per model and cell, in the
// order of ptq_cells().
//
// Error, before anything is written for a model, for a directory that is not a run, a run that has
// not finished or has diverged (unless one of its kept models is asked for), a checkpoint that is
// missing, damaged or not finite, a data set that is not the run's, text that is too short, and a
// bad configuration.
//
// A damaged model along the run does not stop the others: `damaged` gets a sentence for each, or if
// it is null, they are an Error after all others.
std::vector<CellRow> quantize_run(const std::filesystem::path& run, const PtqConfig& config,
                                  ThreadPool& pool, const PtqProgress& progress = {},
                                  std::vector<std::string>* damaged = nullptr);

}  // namespace bitlaw
