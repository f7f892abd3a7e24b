// Post-training quantization of a third-party checkpoint, a directory in Hugging Face's layout: the
// same cells and rows as for one of our own runs (quantize/quantize_run.h), from one pass over its
// layers for as many cells as the memory budget allows (quantize/checkpoint_pass.h).
//
//   RECORD/ptq/<hash of the resolved cell>.json
//
// The hash covers the weights, the architecture, the cell itself and the calibration and evaluation
// tokens. A cell whose file exists is never computed again, so a killed command resumes with the
// cells of the waves that had not finished.
//
// Baseline and cells compute in FP32, whatever type the weights are stored in.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/parallel.h"
#include "hf/forward.h"
#include "quantize/cell.h"
#include "quantize/checkpoint_text.h"
#include "quantize/config.h"
#include "quantize/quantize_run.h"

namespace bitlaw {

struct CheckpointStudy {
  std::filesystem::path checkpoint;          // config.json and safetensors
  std::filesystem::path record;              // gets ptq/*.json
  std::string name;                          // "run" of the rows
  std::string weights_hash;                  // hf::Weights::check_and_hash(); empty: not known yet
  std::string architecture_hash = {};        // of the record; empty: of hf::meaning_of()
  int64_t memory_budget = int64_t{4} << 30;  // bytes for the hidden states of text
  // Called after all checks that are possible before the first layer. May be empty.
  std::function<void()> before_computing = {};
  // To get the rounded weights of a cell: which cell, and the callback for its layers, in order. If
  // its file exists it is solved again for them; otherwise it is solved once.
  std::optional<PtqCell> solve = {};
  std::function<void(const hf::Layer& rounded)> solved = {};
};

// One row per cell, in the order of ptq_cells(config); delta is always the measurement. `progress`
// counts layers of cells. Error, before anything is written, for a checkpoint that hf/weights.h or
// hf/config.h refuses, weights that are not finite, tokens outside its vocabulary, windows longer
// than its context, and a bad configuration.
std::vector<CellRow> quantize_checkpoint(const CheckpointStudy& study, const CheckpointText& text,
                                         const PtqConfig& config, ThreadPool& pool,
                                         const PtqProgress& progress = {});

}  // namespace bitlaw
