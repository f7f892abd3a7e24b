#include "train/kept_checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/number.h"
#include "record/kept_model.h"

namespace bitlaw {

std::vector<int64_t> kept_steps(const RunOptions& options, int64_t steps, int64_t batch_tokens) {
  const double step_tokens = static_cast<double>(batch_tokens);
  const double all_tokens = static_cast<double>(steps) * step_tokens;
  std::set<int64_t> kept;
  int64_t step = steps;
  for (int64_t i = 0; i < options.checkpoints && step > 1; ++i) kept.insert(step /= 2);
  for (const double tokens : options.checkpoint_tokens) {
    if (!(tokens >= step_tokens && tokens < all_tokens + step_tokens / 2)) {
      throw Error(fmt::format(
          "run.checkpoint_tokens: {:.12g} is not between one step ({} tokens) and the end of the "
          "run ({:.12g})",
          tokens, batch_tokens, all_tokens));
    }
    const int64_t nearest = std::llround(tokens / step_tokens);
    if (nearest == steps) {
      throw Error(fmt::format(
          "run.checkpoint_tokens: {:.12g} is the end of the run ({:.12g} tokens in steps of {}), "
          "where the final model is saved anyway; leave it out",
          tokens, all_tokens, batch_tokens));
    }
    kept.insert(nearest);
  }
  return {kept.begin(), kept.end()};
}

std::string few_checkpoints_note(const RunOptions& options, int64_t steps) {
  int64_t halvings = 0;
  for (int64_t step = steps; step > 1; step /= 2) ++halvings;
  if (options.checkpoints <= halvings) return "";
  return fmt::format(
      "{} of the {} models asked for with --checkpoints are kept along the run: {} step{} can be "
      "halved no further",
      halvings, options.checkpoints, steps, steps == 1 ? "" : "s");
}

size_t missing_checkpoints(const std::filesystem::path& run, const std::vector<int64_t>& steps,
                           int64_t batch_tokens) {
  return static_cast<size_t>(std::count_if(steps.begin(), steps.end(), [&](int64_t step) {
    return !std::filesystem::exists(kept_checkpoint(run, step * batch_tokens));
  }));
}

}  // namespace bitlaw
