// Losses of a model on given windows of tokens, one per target, for validation and paired
// comparison; and the comparison of one model's predictions with another's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "model/model.h"
#include "ops/compare.h"

namespace bitlaw {

// losses[w T + t] = -log p(windows[w][t+1] | windows[w][0..t]), nats, for windows of T + 1 tokens
// each (T is the model's sequence). The model must be prepared (Model::prepare). Backend and
// instruction set are taken from `like`. Each window is computed by one thread, so the result does
// not depend on their number. Subnormal numbers count as zero, as in training. With scales per
// batch, windows form batches in their order, of as many sequences as a batch of training had
// (Recipe::batch_sequences); the last batch may be smaller.
std::vector<float> per_token_losses(const Model& model, const Parameters& parameters,
                                    std::span<const std::span<const uint16_t>> windows,
                                    ThreadPool& pool, const Context& like = {});

// What a comparison keeps of the baseline: its losses, and the inputs of its output head, from
// which logits are recomputed. That is windows x T x d numbers (BF16, or FP32 for an fp32 recipe),
// while all logits would be windows x T x vocabulary.
struct Baseline {
  std::vector<float> losses;  // [windows T], those of per_token_losses
  Tensor head_inputs;         // [windows T, d]
  // Shares the model's memory: valid until that model is prepared from other parameters.
  Weight head;
};
Baseline evaluate_baseline(const Model& model, const Parameters& parameters,
                           std::span<const std::span<const uint16_t>> windows, ThreadPool& pool,
                           const Context& like = {});

// Compares a model with the baseline on the same windows, per target. `loss` and `baseline_loss`
// are those of per_token_losses, bit for bit; kl and same_top come from the logits (ops/compare.h).
// Both models have the same vocabulary, sequence and width. Recipes may differ (with FP32
// activations the head is FP32, too, and that is part of the difference). Same result for any
// number of threads.
std::vector<TokenComparison> compare_to_baseline(const Baseline& baseline, const Model& model,
                                                 const Parameters& parameters,
                                                 std::span<const std::span<const uint16_t>> windows,
                                                 ThreadPool& pool, const Context& like = {});

}  // namespace bitlaw
