// Compares two models' predictions of the same tokens, from their logits over the vocabulary. With
// p the probabilities of the baseline and q those of the model, in nats:
//
//   loss = -log q[target],   baseline_loss = -log p[target],   kl = sum_v p_v (log p_v - log q_v)
//
// Sums over the vocabulary are in double, over runs of four terms added in float. Two equal rows of
// logits have a kl of exactly 0.
#pragma once

#include <cstdint>
#include <span>

#include "ops/linear.h"

namespace bitlaw {

struct TokenComparison {
  float loss = 0, baseline_loss = 0;
  float kl = 0;           // KL(baseline || model), never below 0
  bool same_top = false;  // they share a most likely token
};

// One token; both logits are [vocabulary], finite, 0 <= target < vocabulary.
TokenComparison compare_logits(Context&, const float* baseline, const float* logits,
                               int64_t vocabulary, int64_t target);

// Every token of a sequence, from the inputs x [T, d] of both models' output heads (as in
// head_logits), a few rows at a time so that T x vocabulary logits are never in memory at once.
// `out` is [T]. Losses may differ from those of head_loss in the last digits, which rounds
// differently.
void compare_heads(Context&, const Operand& baseline_x, const Weight& baseline_head,
                   const Operand& x, const Weight& head, std::span<const uint16_t> targets,
                   std::span<TokenComparison> out);

}  // namespace bitlaw
