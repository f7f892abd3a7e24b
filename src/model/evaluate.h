// Losses of a model on given windows of tokens, one per target: what validation, paired comparison
// and calibration are all computed from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "model/model.h"

namespace bitlaw {

// losses[w T + t] = -log p(windows[w][t+1] | windows[w][0..t]), nats, for windows of T + 1 tokens
// each (T the model's sequence). The model must be prepared (Model::prepare); backend and
// instruction set are those of `like`. Each window is computed by one thread, so the result does
// not depend on their number. Subnormal numbers count as zero, as in training.
std::vector<float> per_token_losses(const Model& model, const Parameters& parameters,
                                    std::span<const std::span<const uint16_t>> windows,
                                    ThreadPool& pool, const Context& like = {});

}  // namespace bitlaw
