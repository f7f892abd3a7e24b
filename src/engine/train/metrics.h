// Metrics of a run during training. Training knows only this interface; the receiver may be a file,
// a test, or a process that draws curves.
#pragma once

#include <cstdint>

namespace bitlaw {

struct StepMetrics {
  int64_t step;          // steps done, from 1
  int64_t tokens;        // seen so far
  double loss_nats;      // mean over the steps since the last record
  double learning_rate;  // of this step
  double gradient_norm;  // of this step, before clipping
  double seconds;        // of training so far, over all the processes that worked on the run
};

class MetricsSink {
 public:
  virtual ~MetricsSink() = default;
  virtual void record(const StepMetrics& metrics) = 0;
};

}  // namespace bitlaw
