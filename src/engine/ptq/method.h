// The methods of post-training quantization. A method is a function that rounds one weight matrix,
// and a line of the table in method.cpp; nothing else knows how many there are.
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
  const char* name;  // as it is asked for and as it stands in every table
  const char* help;  // what the name stands for; empty if that needs no words
  MatrixResult (*round)(const MatrixTask& task);  // null: the weights stay as they are
  bool calibrated = false;                        // needs the statistics of the inputs
  bool orders_columns = false;                    // knows act-order
  bool damps_hessian = false;                     // takes first_damping
};

std::span<const PtqMethod> ptq_methods();
const PtqMethod* find_ptq_method(std::string_view name);  // null: there is none
const PtqMethod& ptq_method(std::string_view name);       // one of the table

// How one weight matrix is rounded.
struct MatrixCell {
  const PtqMethod* method = &ptq_method("rtn");
  WeightScheme scheme;
  bool act_order = false;       // columns in descending order of H's diagonal
  bool rotated = false;         // any method: rounds W R (ptq/rotation.h)
  double first_damping = 0.01;  // share of H's mean diagonal added to it, to begin with

  bool operator==(const MatrixCell&) const = default;
};

// What a method is given.
struct MatrixTask {
  const MatrixCell& cell;
  const float* weights;  // [rows, columns], row-major and finite; W R where the cell is rotated
  int64_t rows, columns;
  InputSolver* input;  // of the weights; null only for a method that is not calibrated
  ThreadPool& pool;    // the result has the same bits for any number of threads
};

// A method fills in `quantized` and what else it knows; quantize_matrix() completes the rest. Errors
// are tr((Q - W) H (Q - W)^T) on the calibration text, H undamped; in the rotated basis where the
// cell is rotated, which is the same number but for the FP32 rounding of the effective matrix.
struct MatrixResult {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  QuantizedMatrix quantized;
  double error = kNone;
  double rtn_error = kNone;             // of round to nearest in the same scheme and basis
  double damping = kNone;               // that gptq took
  std::vector<double> failed_dampings;  // before it
  double alpha = kNone;                 // that awq took
  int64_t dead_columns = 0;             // inputs that were zero on all of the calibration text
  // Worse than round to nearest on the very text it was calibrated on, or NaN.
  bool flagged = false;
};

}  // namespace bitlaw
