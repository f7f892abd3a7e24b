// What `bitlaw quantize` is asked for. Every method at every format, group, and rounding of
// activations and of keys and values is a cell, once per calibration seed where the method is
// calibrated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "quantize/cell.h"

namespace bitlaw {

struct PtqConfig {
  std::vector<std::string> methods = {"rtn", "gptq"};
  std::vector<int> bits = {3, 4, 5, 6, 8};
  std::vector<std::string> formats;
  std::vector<int> groups = {0};
  std::vector<std::string> activations = {"trained"};
  std::vector<std::string> kv = {"trained"};
  std::string activations_granularity = "tensor";
  std::string kv_granularity = "tensor";
  int64_t calibration_tokens = 32768;
  std::vector<int64_t> calibration_seeds = {1, 2};
  int64_t evaluation_tokens = 131072;
  double damping = 0.01;
  std::string data;

  template <class V>
  void visit(V& v) {
    v("methods", methods, method_help().c_str());
    v("bits", bits, "bits of the weights as integers, 2..8");
    v("formats", formats,
      "further formats of the weights: e2m1, mxfp4, mxfp6-e2m3, mxfp8-e4m3, nvfp4, ...");
    v("groups", groups, "weights that share a scale; 0: an output channel");
    v("activations", activations,
      "activations when the model is used: trained (as in training), or bits or a format");
    v("kv", kv, "the same for keys and values");
    v("activations_granularity", activations_granularity, "tensor, channel, token or group32");
    v("kv_granularity", kv_granularity, "tensor, channel, token or group32");
    v("calibration_tokens", calibration_tokens, "training tokens that the Hessians come from");
    v("calibration_seeds", calibration_seeds,
      "which training tokens these are, a calibration each: their spread is reported");
    v("evaluation_tokens", evaluation_tokens, "validation tokens, at most; 0: all");
    v("damping", damping, "gptq: share of the mean diagonal added to a Hessian, to begin with");
    v("data", data, "directory of the data set; empty = the one the run was trained on");
  }
};

// The cells, each once, in the order of methods (round to nearest first), then groups, then formats
// (bits first), activations, kv and seeds. Round to nearest of the
// same scheme and basis is among them, asked for or not: what every other method is compared with. An Error names the key
// that is out of range, unknown or empty.
std::vector<PtqCell> ptq_cells(const PtqConfig& config);

}  // namespace bitlaw
