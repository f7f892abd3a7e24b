// One weight matrix in one cell of a grid: the entry point for every kind of checkpoint.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "ptq/input_solver.h"
#include "ptq/method.h"
#include "ptq/quantized_matrix.h"

namespace bitlaw {

struct MatrixCell {
  PtqMethod method = PtqMethod::kRtn;
  WeightScheme scheme;
  bool act_order = false;       // gptq alone: columns in descending order of H's diagonal
  bool rotated = false;         // any method: rounds W R (ptq/rotation.h)
  double first_damping = 0.01;  // gptq: share of H's mean diagonal added to it, to begin with

  bool operator==(const MatrixCell&) const = default;
};

// Errors are tr((Q - W) H (Q - W)^T) on the calibration text, H undamped; in the rotated basis where
// the cell is rotated, which is the same number but for the FP32 rounding of the effective matrix.
struct MatrixResult {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  QuantizedMatrix quantized;
  double rtn_error = kNone;             // of round to nearest in the same scheme and basis
  double error = kNone;                 // both NaN without an input
  double damping = kNone;               // that gptq took; NaN for others
  std::vector<double> failed_dampings;  // before it
  int64_t dead_columns = 0;             // inputs that were zero on all of the calibration text
  double alpha = kNone;                 // that awq took; NaN for others
  bool flagged =
      false;  // worse than round to nearest on the very text it was calibrated on, or NaN
};

// weights [rows, columns], row-major and finite; `input` is theirs. Null only for round to nearest,
// which needs none and then has no errors. A caller that knows rtn_error from another cell of the same
// matrix, scheme and basis saves a product by saying so. The same bits for any number of threads.
MatrixResult quantize_matrix(const MatrixCell& cell, InputSolver* input, const float* weights,
                             int64_t rows, int64_t columns, ThreadPool& pool,
                             double known_rtn_error = MatrixResult::kNone);

}  // namespace bitlaw
