// Losses of a model on given windows of tokens, one per target: what validation, paired comparison
// and calibration are all computed from. And how far one model's guesses are from another's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "model/model.h"
#include "ops/compare.h"

namespace bitlaw {

// losses[w T + t] = -log p(windows[w][t+1] | windows[w][0..t]), nats, for windows of T + 1 tokens
// each (T the model's sequence). The model must be prepared (Model::prepare); backend and
// instruction set are those of `like`. Each window is computed by one thread, so the result does
// not depend on their number. Subnormal numbers count as zero, as in training.
std::vector<float> per_token_losses(const Model& model, const Parameters& parameters,
                                    std::span<const std::span<const uint16_t>> windows,
                                    ThreadPool& pool, const Context& like = {});

// What a comparison keeps of a model: its losses, and what went into its output head, from which its
// logits can be had again. Windows x T x d numbers (BF16, but for an fp32 recipe), where all logits
// would be windows x T x vocabulary.
struct Baseline {
  std::vector<float> losses;  // [windows T], those of per_token_losses
  Tensor head_inputs;         // [windows T, d]
  Weight
      head;  // shares the model's memory: good until that model is prepared from other parameters
};
Baseline evaluate_baseline(const Model& model, const Parameters& parameters,
                           std::span<const std::span<const uint16_t>> windows, ThreadPool& pool,
                           const Context& like = {});

// A model beside the baseline on the same windows, per target. `loss` and `baseline_loss` are those
// of per_token_losses, bit for bit; kl and same_top come from the logits (ops/compare.h). The models
// have one vocabulary, sequence and width; the recipes may differ (the head of one with FP32
// activations is FP32 too, which then is part of the difference). The same for any number of threads.
std::vector<TokenComparison> compare_to_baseline(const Baseline& baseline, const Model& model,
                                                 const Parameters& parameters,
                                                 std::span<const std::span<const uint16_t>> windows,
                                                 ThreadPool& pool, const Context& like = {});

}  // namespace bitlaw
