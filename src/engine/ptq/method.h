// The methods of post-training quantization. A method is a function that rounds one weight matrix,
// and a line of the table in method.cpp; all other code reads that table.
#pragma once

#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "ptq/input_solver.h"
#include "ptq/quantized_matrix.h"

namespace bitlaw {

struct MatrixTask;
struct MatrixResult;

struct PtqMethod {
  const char* name;  // on the command line and in tables
  const char* help;  // what the name means; empty if it needs no explanation
  MatrixResult (*round)(const MatrixTask& task);  // null: the weights are kept as they are
  bool calibrated = false;                        // needs the statistics of the inputs
  bool orders_columns = false;                    // supports act-order
  bool damps_hessian = false;                     // uses first_damping
};

std::span<const PtqMethod> ptq_methods();
const PtqMethod* find_ptq_method(std::string_view name);  // null if there is none
const PtqMethod& ptq_method(std::string_view name);       // the name must exist

// How one weight matrix is rounded.
struct MatrixCell {
  const PtqMethod* method = &ptq_method("rtn");
  WeightScheme scheme;
  bool act_order = false;       // columns in descending order of H's diagonal
  bool rotated = false;         // any method: rounds W R (ptq/rotation.h)
  double first_damping = 0.01;  // share of H's mean diagonal added to it, to begin with

  bool operator==(const MatrixCell&) const = default;
};

// The input of a method.
struct MatrixTask {
  const MatrixCell& cell;
  const float* weights;  // [rows, columns], row-major and finite; W R if the cell is rotated
  int64_t rows, columns;
  InputSolver* input;  // null only for a method that is not calibrated
  ThreadPool& pool;    // the result has the same bits for any number of threads
};

// A method sets `quantized` and any other fields it computes; quantize_matrix() completes the rest.
// Errors are tr((Q - W) H (Q - W)^T) on the calibration text, H undamped. If the cell is rotated
// they are in the rotated basis, which gives the same number up to the FP32 rounding of the
// effective matrix.
struct MatrixResult {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  QuantizedMatrix quantized;
  double error = kNone;
  double rtn_error = kNone;             // of round-to-nearest with the same scheme and basis
  double damping = kNone;               // used by gptq
  std::vector<double> failed_dampings;  // tried before it
  double alpha = kNone;                 // chosen by awq
  int64_t dead_columns = 0;             // inputs that were zero on the whole calibration text
  // Worse than round-to-nearest on the text it was calibrated on, or NaN.
  bool flagged = false;
};

}  // namespace bitlaw
