// What `bitlaw quantize` is asked for: every method at every format and group is one cell.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "formats/format.h"
#include "ptq/method.h"

namespace bitlaw {

struct PtqConfig {
  std::vector<std::string> methods = {"rtn", "gptq"};
  std::vector<int> bits = {3, 4, 5, 6, 8};
  std::vector<std::string> formats;
  std::vector<int> groups = {0};
  int64_t calibration_tokens = 32768;
  int64_t calibration_seed = 1;
  int64_t evaluation_tokens = 131072;
  double damping = 0.01;
  std::string data;

  template <class V>
  void visit(V& v) {
    v("methods", methods, "rtn (round to nearest), gptq");
    v("bits", bits, "bits of the weights as integers, 2..8");
    v("formats", formats, "further formats of the weights, such as e2m1");
    v("groups", groups, "weights that share a scale; 0: an output channel");
    v("calibration_tokens", calibration_tokens, "training tokens that the Hessians come from");
    v("calibration_seed", calibration_seed, "which training tokens these are");
    v("evaluation_tokens", evaluation_tokens, "validation tokens, at most; 0: all");
    v("damping", damping, "gptq: share of the mean diagonal added to a Hessian, to begin with");
    v("data", data, "directory of the data set; empty: where the run was trained");
  }
};

struct PtqCell {
  PtqMethod method;
  Format format;
  int group;  // 0: per output channel
};

// The cells in the order of methods, then groups, then formats (bits first), each once. An Error
// names the key that is out of range, unknown or empty.
std::vector<PtqCell> ptq_cells(const PtqConfig& config);

}  // namespace bitlaw
