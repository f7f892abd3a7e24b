// Predictions for the rows of a table, beside what was measured: `bitlaw predict` and the residuals of
// `bitlaw fit`.
#pragma once

#include <string>
#include <vector>

#include "predict/predict.h"
#include "table/table.h"
#include "table/write_table.h"

namespace bitlaw {

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

// Of a fit's document; or, if that is null, of a law's published constants ("" = the first set). Error, with
// the name, if there are none, or if the law predicts no loss.
Predicting predicting(const std::string& name, const std::string& law, const std::string& constants,
                      const Json& fit);

// How a table of runs to predict is read, which need no loss.
TableOptions options_for_predictions(const std::vector<Predicting>& by, const std::string& columns,
                                     const std::string& scale,
                                     const std::vector<std::string>& where);

// Error if a name says one thing and bits another: which of them a law takes depends on the law.
void refuse_contradictions(const std::vector<Observation>& runs);

std::vector<RowPrediction> predict_rows(const std::vector<Predicting>& by,
                                        const std::vector<Observation>& rows, double level);

// The rows' columns, then fit, predicted, mean_low, mean_high, run_low, run_high, predicted_delta,
// beyond, problem; measured ones also residual and inside.
// `more`: further columns of the same predictions.
std::string predictions_csv(const std::vector<Observation>& rows,
                            const std::vector<RowPrediction>& predictions,
                            const std::vector<ExtraColumn>& more = {});
Json predictions_json(const std::vector<Observation>& rows,
                      const std::vector<RowPrediction>& predictions);
// These, with what they are by: what `bitlaw predict --json` prints.
Json predictions_document(const std::vector<Predicting>& by, const std::vector<Observation>& rows,
                          const std::vector<RowPrediction>& predictions, double level);
// A line for each, then how many measured rows lie inside.
std::string predictions_text(const std::vector<Observation>& rows,
                             const std::vector<RowPrediction>& predictions, double level);

}  // namespace bitlaw
