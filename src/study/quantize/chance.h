// Whether a checkpoint knows anything about a text. Where its loss is above that of a uniform guess,
// log V nats per token, weights and tokenizer do not belong together, or the text is nothing like
// what the model was trained on; what rounding costs such a model says nothing.
#pragma once

#include <filesystem>
#include <string>

#include "hf/config.h"
#include "hf/weights.h"
#include "quantize/checkpoint_text.h"

namespace bitlaw {

// Loss on the first windows of a text, up to kGlanceTokens tokens, in nats per token; not finite if
// the logits are not.
inline constexpr int64_t kGlanceTokens = 4096;
double loss_at_a_glance(const hf::Architecture& architecture, const hf::Weights& weights,
                        const TextWindows& text, ThreadPool& pool);

// "" for a loss of at most log V, or a sentence that names `where` and what to do.
std::string worse_than_chance(const std::string& where, double loss_nats, int64_t vocabulary);

}  // namespace bitlaw
