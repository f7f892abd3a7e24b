// Post-training quantization of a trained run: one baseline, one calibration, and a file per cell.
//
//   RUN/ptq/<hash of the resolved cell>.json
//
// A cell is resolved from the checkpoint, method, format, group, damping, and the calibration and
// evaluation tokens themselves; one whose file is there is never computed again, so that a killed
// call goes on where it stopped.
//
// The model is evaluated as it was trained: activations, keys, values and queries keep the recipe
// of the run, and only the weights of the projections are replaced. The weights that are quantized
// are the FP32 ones that training kept, so that RTN at the training format gives the trained model
// itself.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/json.h"
#include "base/parallel.h"
#include "ptq/config.h"

namespace bitlaw {

// Called when a piece of work is done; `total` counts the baseline, the calibration and every cell.
using PtqProgress = std::function<void(double done, double total, const std::string& note)>;

// One row per cell, in the order of ptq_cells():
//
//   run, method ("rtn"), format ("int4"), bits, group, granularity ("channel", "group128")
//   loss_nats, baseline_loss_nats   on the same evaluation tokens
//   delta, standard_error           nats per token, paired token by token; standard_error is null
//                                   with a single cluster. 0 and 0 by definition where the run
//                                   trained its weights at as few bits or fewer
//   measured_delta, measured_standard_error   what was measured, in every case
//   tokens, clusters, clustered_by, evaluation {tokens, hash}, calibration {tokens, seed, hash}
//   damping                         the largest that a layer took; null for rtn
//   layers                          LayerResult of every projection
//   flagged                         true where any layer is
//   seconds                         of this cell, without baseline and calibration
//
// Throws Error, before anything is written, for a directory that is not a run, a run that has not
// finished or has diverged, a checkpoint that is missing, damaged or not finite, a data set that is
// not the run's, a text too short, and a bad configuration.
Json quantize_run(const std::filesystem::path& run, const PtqConfig& config, ThreadPool& pool,
                  const PtqProgress& progress = {});

}  // namespace bitlaw
