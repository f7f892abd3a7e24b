// What a law with its constants says of one run, with two intervals: of the law's mean, and of a run.
//
//   mean   the law at the bootstrap draws of its constants; beyond the fitted range also with the
//          error that the law itself is expected to have there
//   run    the same, and the scatter of runs around the law (predict/scatter.h)
//
// Both are quantiles of sums of draws and scatter, on the scale of log loss; deltas on their own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "predict/constants.h"

namespace bitlaw {

struct PredictedInterval {
  double low = kUnknown, high = kUnknown;
};

struct Prediction {
  double loss = kUnknown;   // nats per token, after quantization if the run is quantized afterwards
  double delta = kUnknown;  // the loss that this adds; NaN: it is not, or the law does not model it
  std::optional<PredictedInterval> mean, run;              // of the loss
  std::optional<PredictedInterval> mean_delta, run_delta;  // of delta
  std::vector<std::string> beyond;  // the quantities that leave the fitted range, in words
  std::string problem;  // why there is no number, or no interval; "" = nothing is missing
  std::string note;     // what of the run the law does not model; "" = nothing
};

// level: of the intervals. A law that predicts a share of quantization-aware training gives it as
// `loss`.
Prediction predict_run(const Constants& constants, const Observation& given, double level = 0.9);

// One line for people: "3.214 [3.201, 3.228], a run [3.187, 3.242]".
std::string prediction_text(const Prediction& prediction);

Json prediction_json(const Prediction& prediction);

}  // namespace bitlaw
