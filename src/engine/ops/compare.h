// Two models' guesses of the same tokens, from their logits over the vocabulary: with p the
// probabilities of the baseline and q those of the model,
//
//   loss = -log q[target],   baseline_loss = -log p[target],   kl = sum_v p_v (log p_v - log q_v)
//
// in nats. Sums over the vocabulary are in double, in runs of four terms added in float, and two equal rows of logits have exactly no kl.
#pragma once

#include <cstdint>
#include <span>

#include "ops/linear.h"

namespace bitlaw {

struct TokenComparison {
  float loss = 0, baseline_loss = 0;
  float kl = 0;           // KL(baseline || model), never below 0
  bool same_top = false;  // a likeliest token of one is a likeliest of the other
};

// One token; both logits are [vocabulary], finite, 0 <= target < vocabulary.
TokenComparison compare_logits(Context&, const float* baseline, const float* logits,
                               int64_t vocabulary, int64_t target);

// Every token of a sequence, from the inputs x [T, d] of both models' output heads (as head_logits
// takes them), a few rows at a time so that T x vocabulary never stands in memory. `out` is [T].
// The losses are those of these logits; head_loss rounds differently in the last digits.
void compare_heads(Context&, const Operand& baseline_x, const Weight& baseline_head,
                   const Operand& x, const Weight& head, std::span<const uint16_t> targets,
                   std::span<TokenComparison> out);

}  // namespace bitlaw
