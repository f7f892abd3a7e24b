#include "train/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bitlaw {

namespace {

// Not rounded.
double tuned_sequences(int64_t tokens) {
  return 8 * std::pow(static_cast<double>(tokens) / 2e6, 0.6);
}

}  // namespace

double batch_ratio(int64_t sequences, int64_t tokens, int64_t T) {
  const double most = static_cast<double>(tokens) / static_cast<double>(kTooFewSteps * T);
  return std::min(static_cast<double>(sequences), most) / tuned_sequences(tokens);
}

int64_t default_batch_sequences(int64_t tokens, int64_t T) {
  const double by_steps = static_cast<double>(tokens) / static_cast<double>(kFewestSteps * T);
  const double sequences = std::min(tuned_sequences(tokens), by_steps);
  if (sequences < 4) return std::max<int64_t>(1, static_cast<int64_t>(sequences));
  return 4 * static_cast<int64_t>(sequences / 4);
}

std::string few_steps_note(const ResolvedConfig& resolved) {
  if (resolved.steps >= kTooFewSteps) return "";
  return fmt::format(
      "{} steps: with fewer than {}, the loss depends on the learning rate and the batch "
      "as much as on the tokens; {}",
      resolved.steps, kTooFewSteps,
      resolved.batch_sequences > 1
          ? "use a smaller train.batch_tokens (0: chosen from train.tokens)"
          : "use more train.tokens or a shorter model.sequence");
}

}  // namespace bitlaw
