#include "train/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bitlaw {

int64_t default_batch_sequences(int64_t tokens, int64_t T) {
  const double D = static_cast<double>(tokens);
  const double by_tokens = 8 * std::pow(D / 2e6, 0.6);
  const double by_steps = D / static_cast<double>(kFewestSteps * T);
  const double sequences = std::min(by_tokens, by_steps);
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
