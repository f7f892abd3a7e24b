// Look-up in the embedding table, and its gradient.
#pragma once

#include <cstdint>
#include <span>

#include "ops/context.h"

namespace bitlaw {

// y[t,:] = table[tokens[t],:]; table [V, d], y [T, d]
void embed(Context&, std::span<const uint16_t> tokens, const Tensor& table, Tensor& y);

// dtable[tokens[t],:] += dy[t,:], in the order of t
void embed_backward(Context&, std::span<const uint16_t> tokens, const Tensor& dy, Tensor& dtable);

}  // namespace bitlaw
