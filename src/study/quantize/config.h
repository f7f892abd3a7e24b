// The request of `bitlaw quantize`. Every combination of method, format, group, and rounding of
// activations and of keys and values is a cell; for calibrated methods, one per calibration seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "quantize/method_names.h"

namespace bitlaw {

struct PtqCell;  // quantize/cell.h

struct PtqConfig {
  std::vector<std::string> methods = {"rtn", "gptq"};
  std::vector<int> bits = {3, 4, 5, 6, 8};
  std::vector<std::string> formats;
  std::vector<int> groups = {0};
  std::vector<std::string> activations = {"trained"};
  std::vector<std::string> kv = {"trained"};
  std::string activations_granularity = "sequence";
  std::string kv_granularity = "sequence";
  int64_t calibration_tokens = 32768;
  std::vector<int64_t> calibration_seeds = {1, 2};
  int64_t evaluation_tokens = 131072;
  double damping = 0.01;
  std::string data;
  bool along = false;

  template <class V>
  void visit(V& v) {
    v("methods", methods, method_help().c_str());
    v("bits", bits, "bits of the weights as integers, 2..8");
    v("formats", formats,
      "more formats of the weights: e2m1, mxfp4, mxfp6-e2m3, mxfp8-e4m3, nvfp4, ...");
    v("groups", groups, "weights that share a scale; 0: per output channel");
    v("activations", activations,
      "precision of activations in use: trained (as in training), bits, or a format");
    v("kv", kv, "precision of keys and values in use");
    v("activations_granularity", activations_granularity,
      "what shares a scale: sequence, channel, token, group32 or batch");
    v("kv_granularity", kv_granularity, "sequence, channel, token, group32 or batch");
    v("calibration_tokens", calibration_tokens, "tokens of training text per calibration");
    v("calibration_seeds", calibration_seeds,
      "calibration seeds; each draws its own sample, and the spread is reported");
    v("evaluation_tokens", evaluation_tokens,
      "largest number of validation tokens, a sample of all; 0: all");
    v("damping", damping, "gptq: initial damping, as a share of the Hessian's mean diagonal");
    v("data", data, "directory of the data set; empty: the one the run was trained on");
    v("along", along, "also the models kept along each run (bitlaw train --checkpoints)");
  }
};

// The notes on old names in it (formats/recipe.h).
std::vector<std::string> notes_on_old_names(const PtqConfig& config);

// The cells, each once, in the order of methods (round-to-nearest first), groups, formats (bits
// first), activations, kv and seeds. Round-to-nearest with the same scheme and basis is always
// included, because every other method is compared with it. Error, naming the key, if a value is
// out of range, unknown or empty.
std::vector<PtqCell> ptq_cells(const PtqConfig& config);

}  // namespace bitlaw
