// The parts of a model that may have bits of their own in training, and what they are called.
#pragma once

#include <array>
#include <string>

#include "laws/observation.h"

namespace bitlaw {

struct PartBits {
  const char* name;    // of the column
  const char* suffix;  // of a law's constants: gamma_w
  double bits;         // 16: not quantized
};
// Weights, activations, keys, values, embeddings, output head.
std::array<PartBits, 6> bits_by_part(const Observation& run);

// The fewest bits of any part in training.
double least_part_bits(const Observation& run);

bool have_equal_bits(const Observation& a, const Observation& b);

// "P_w = 4, P_kv = 3": what is below 16 bits, keys and values apart where they differ; "" = nothing.
std::string bits_in_words(const Observation& run);
// The same as one word, W4A16KV3, or W16A16K4V3E8 where parts have bits of their own.
std::string bits_label(const Observation& run);

}  // namespace bitlaw
