// When a run counts as diverged. Low precision makes some runs diverge, and that is a result: it is
// detected, recorded and left out of fits, never repaired.
//
// l_t is the loss of step t and s_t its running mean, s_t = s_{t-1} + (l_t - s_{t-1}) / min(t, W),
// where W is 10 steps, or as many as have 16,384 tokens: the loss of one short sequence deviates by
// half a nat from that of the next. A run has diverged
//   - at once, if the loss or the norm of the gradient is not finite;
//   - at once, if s_t > 3 ln V, or after the warm-up s_t > ln V + 0.5: worse than a uniform guess;
//   - at its end, if s_t is more than 0.5 nats above its lowest value: training broke and did not
//     recover (a loss of unigrams is well below ln V, so the second rule would not detect that).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/json.h"

namespace bitlaw {

class DivergenceDetector {
 public:
  static constexpr int64_t kWindowSteps = 10, kWindowTokens = 16'384;  // whichever is longer
  static constexpr double kAboveUniform = 0.5;  // nats over ln V, after the warm-up
  static constexpr double kTimesUniform = 3;    // times ln V, always
  static constexpr double kAboveBest = 0.5;     // nats over the lowest running mean, at the end

  DivergenceDetector(int64_t vocabulary, int64_t warmup_steps, int64_t batch_tokens)
      : uniform_nats_(std::log(static_cast<double>(vocabulary))),
        warmup_steps_(warmup_steps),
        window_(static_cast<double>(
            std::max(kWindowSteps, (kWindowTokens + batch_tokens - 1) / batch_tokens))) {}

  // Takes the next step's loss and gradient norm; true if the run has diverged.
  bool diverged(double loss_nats, double gradient_norm) {
    if (!std::isfinite(loss_nats) || !std::isfinite(gradient_norm)) return true;
    ++steps_;
    smoothed_ += (loss_nats - smoothed_) / std::min(static_cast<double>(steps_), window_);
    lowest_ = std::min(lowest_, smoothed_);
    if (smoothed_ > kTimesUniform * uniform_nats_) return true;
    return steps_ > warmup_steps_ && smoothed_ > uniform_nats_ + kAboveUniform;
  }

  bool diverged_at_end() const { return steps_ > 0 && smoothed_ > lowest_ + kAboveBest; }

  // The whole state, exact to the last bit.
  Json state() const { return {{"steps", steps_}, {"smoothed", smoothed_}, {"lowest", lowest_}}; }
  void restore(const Json& state) {
    steps_ = state.at("steps");
    smoothed_ = state.at("smoothed");
    lowest_ = state.at("lowest");
  }

 private:
  double uniform_nats_;
  int64_t warmup_steps_;
  double window_;  // steps
  int64_t steps_ = 0;
  double smoothed_ = 0;
  double lowest_ = 1e300;  // finite, so that it survives JSON
};

}  // namespace bitlaw
