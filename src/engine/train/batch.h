// The batch of a run that does not give one, and a note on runs of few steps.
//
//   sequences a step = 8 (D / 2 M)^0.6, fewer where a run would have less than 1,500 steps
//
// The best batch grows with D and hardly with N, and its unit is the sequence: docs/recipe.md has
// the measurements. The exponent is that of arXiv 2503.04715 (StepLaw, .571) within what was
// measured.
#pragma once

#include <cstdint>
#include <string>

#include "train/config.h"

namespace bitlaw {

inline constexpr int64_t kFewestSteps = 1500;  // that the rule leaves a run
inline constexpr int64_t kTooFewSteps = 1000;  // that a note is worth

// A batch over the one that suits so many tokens, 8 (D / 2 M)^0.6 sequences. A step counts as at
// most a thousandth of the run: with fewer steps, the best learning rate was not found to rise with
// the batch any more.
double batch_ratio(int64_t sequences, int64_t tokens, int64_t T);

// Sequences of a step for a run of `tokens` tokens in sequences of T; at least 1. From 4 on, a
// multiple of 4, as many as a step has lanes.
int64_t default_batch_sequences(int64_t tokens, int64_t T);

// "" for a run of kTooFewSteps steps or more.
std::string few_steps_note(const ResolvedConfig& resolved);

}  // namespace bitlaw
