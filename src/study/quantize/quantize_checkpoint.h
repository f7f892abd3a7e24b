// Post-training quantization of somebody else's checkpoint, a directory in Hugging Face's layout: the
// same cells and the same rows as of a run of our own (quantize/quantize_run.h), from one pass over its
// layers for as many cells as the memory budget allows (quantize/checkpoint_pass.h).
//
//   RECORD/ptq/<hash of the resolved cell>.json
//
// A cell is resolved from the weights, config.json, the cell itself and the calibration and
// evaluation tokens; one whose file is there is never computed again, so that a killed call goes on
// with the cells of the waves that had not ended.
//
// Baseline and cells compute in FP32, whatever the weights are stored in.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/parallel.h"
#include "hf/forward.h"
#include "quantize/checkpoint_text.h"
#include "quantize/config.h"
#include "quantize/quantize_run.h"

namespace bitlaw {

struct CheckpointStudy {
  std::filesystem::path checkpoint;          // config.json and safetensors
  std::filesystem::path record;              // gets ptq/*.json
  std::string name;                          // "run" of the rows
  std::string weights_hash;                  // hf::Weights::check_and_hash(); empty: not known yet
  int64_t memory_budget = int64_t{4} << 30;  // bytes for the hidden states of text
  // Called once everything is checked that can be before the first layer. May be empty.
  std::function<void()> before_computing = {};
  // If the rounded weights of a cell are wanted: which, and what gets its layers, in their order.
  // One whose file is there is solved again for them; any other is solved once.
  std::optional<PtqCell> solve = {};
  std::function<void(const hf::Layer& rounded)> solved = {};
};

// One row per cell, in the order of ptq_cells(config), delta is what was measured in every
// case. `progress` counts layers of cells. Throws Error, before anything is
// written, for a checkpoint that hf/weights.h or hf/config.h refuse, weights that are not finite,
// tokens outside of its vocabulary, windows longer than its context, and a bad configuration.
std::vector<CellRow> quantize_checkpoint(const CheckpointStudy& study, const CheckpointText& text,
                                         const PtqConfig& config, ThreadPool& pool,
                                         const PtqProgress& progress = {});

}  // namespace bitlaw
