// What a run tells about itself while it runs. Training knows this interface and not who listens: a
// file, a test, a process that draws curves.
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
