// Quantizes every projection of one of our models: calibrated once, for any number of cells.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "ptq/quantize_matrix.h"
#include "quantize/calibrate.h"
#include "quantize/cell.h"
#include "quantize/rows.h"

namespace bitlaw {

const char* name_of(Projection projection);  // "qkv", "output", "gate_up", "down"

// Error, naming the first tensor with a weight that is not finite, if there is one.
void require_finite_weights(const Model& model, const Parameters& parameters);

// The projections of a model for one cell, by layer * kProjections + projection; empty if the cell
// keeps the weights as they are.
struct QuantizedModel {
  std::vector<Operand> weights;
  std::vector<MatrixReport> reports;
};

class ModelQuantizer {
 public:
  // Keeps references to `model`, `parameters` (finite) and `pool`.
  ModelQuantizer(const Model& model, const Parameters& parameters, ThreadPool& pool);

  // Sets the calibration of the following cells; methods that are not calibrated need none.
  void use_calibration(Calibration calibration);

  // Quantizes every projection from its FP32 weights.
  QuantizedModel quantize(const MatrixCell& cell);

 private:
  const Model& model_;
  const Parameters& parameters_;
  ThreadPool& pool_;
  std::vector<InputSolver> solvers_;  // by layer * kProjections + projection; empty: not calibrated
  // Errors of round-to-nearest on this calibration, by scheme, basis and projection.
  std::map<std::string, std::vector<double>> rtn_errors_;
};

// Replaces the projections of a model of the same shape until its next prepare(); embeddings, norms
// and output head are kept.
void replace_weights(Context& context, Model& model, const QuantizedModel& quantized);

}  // namespace bitlaw
