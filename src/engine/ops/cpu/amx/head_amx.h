// Logits that never leave L1: blocks of them become sums of exponentials, or rounded gradients,
// between the tile products of the next block.
#pragma once

#include "ops/cpu/amx/products_amx.h"

namespace bitlaw::cpu::amx {

inline constexpr float kLog2E = 1.44269504f;

// Logits of M tokens and some columns of the vocabulary.
struct Logits {
  Product product;          // its scales, addend and c are not used
  int64_t first;            // column of the vocabulary
  const uint16_t* targets;  // [M]
  const float* shift;       // [M], times log2 e: exponentials are 2^(logit log2 e - shift)
};

// sums[t, 0..16) += the exponentials of some columns each, which add up to those of all of them;
// target_logits[t] is set if the target is among the columns. No logit may exceed its shift by more
// than 127 / log2 e, or the sum is infinite. The exponentials are kept [M, N] unless that is null.
void add_exponentials(const Logits& logits, float* sums, float* target_logits, float* kept);

// The gradient of the loss, exponential factor[t] - (scale at the target), rounded into g [M, N]
// and h as gradient_operands does without scales. 32 divides to.g_columns.
void loss_gradients(const Logits& logits, const float* factor, float scale,
                    const GradientTargets& to);

// The same of at most 32 tokens from what was kept: their logits, or their exponentials.
struct KeptRows {
  const float* values;  // [rows, N]
  bool are_exponentials;
  int64_t rows, N;
  int64_t first;            // column of the vocabulary
  const uint16_t* targets;  // [rows]
  const float* shift;       // [rows]
};
void loss_gradients(const KeptRows& kept, const float* factor, float scale,
                    const GradientTargets& to);

}  // namespace bitlaw::cpu::amx
