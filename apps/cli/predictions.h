// Predictions for the rows of a table, beside what was measured: `bitlaw predict` and the residuals of
// `bitlaw fit`.
#pragma once

#include <string>
#include <vector>

#include "predict/predict.h"

namespace bitlaw::cli {

// A law or a fit, as the reader calls it.
struct Predicting {
  std::string name;
  Constants constants;
};

struct RowPrediction {
  size_t row;
  const Predicting* by;
  Prediction prediction;
  // Of the measured loss (after quantization, of a cell), or of its delta where that alone was measured.
  double measured = kUnknown, residual = kUnknown;  // residual: measured less predicted
  bool of_delta = false;
  bool has_interval = false, inside = false;  // the interval of a run
};

std::vector<RowPrediction> predict_rows(const std::vector<Predicting>& by,
                                        const std::vector<Observation>& rows, double level);

// The rows' columns, then fit, predicted, mean_low, mean_high, run_low, run_high, predicted_delta,
// beyond, problem; measured ones also residual and inside.
std::string predictions_csv(const std::vector<Observation>& rows,
                            const std::vector<RowPrediction>& predictions);
Json predictions_json(const std::vector<Observation>& rows,
                      const std::vector<RowPrediction>& predictions);
// A line for each, then how many measured rows lie inside.
std::string predictions_text(const std::vector<Observation>& rows,
                             const std::vector<RowPrediction>& predictions, double level);

}  // namespace bitlaw::cli
