// Every projection of one model quantized: calibrate once, then any number of cells.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "ptq/calibrate.h"
#include "ptq/config.h"
#include "ptq/quantize_matrix.h"

namespace bitlaw {

// One projection in one cell. Errors are tr((Q - W) H (Q - W)^T) on the calibration text: twice the
// mean squared error of the projection's output, summed over its outputs.
struct LayerResult {
  int64_t layer;
  Projection projection;
  double rtn_error;
  double gptq_error;  // NaN in an RTN cell
  double damping;     // that the Cholesky factorisation took; NaN in an RTN cell
  std::vector<double> failed_dampings;
  int64_t dead_columns;  // inputs that were zero on all of the calibration text
  bool flagged;          // GPTQ did worse than RTN on the very text it was calibrated on
};

const char* name_of(Projection projection);  // "qkv", "output", "gate_up", "down"
Json to_json(const LayerResult& result);

// Error that names the first tensor with a weight that is not finite.
void require_finite_weights(const Model& model, const Parameters& parameters);

class ModelQuantizer {
 public:
  // Keeps references to `model` (prepared), `parameters` (finite) and `pool`.
  ModelQuantizer(Model& model, const Parameters& parameters, Calibration calibration,
                 double first_damping, ThreadPool& pool);

  // Quantizes every projection from its FP32 weights and puts the result into the model;
  // embeddings, norms and output head stay as they are. Lasts until Model::prepare() or the next
  // call.
  std::vector<LayerResult> apply(Context& context, const PtqCell& cell);

 private:
  const Tensor& weights(size_t matrix) const;

  Model& model_;
  const Parameters& parameters_;
  double first_damping_;
  ThreadPool& pool_;
  std::vector<InputSolver> solvers_;  // by matrix = layer * kProjections + projection
};

}  // namespace bitlaw
