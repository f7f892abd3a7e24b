// Rotary positions (Su et al., 2021): in every head of queries and keys the pair (x_i, x_{i+n/2})
// of token t is rotated by the angle t f_i, i < n/2; the first n <= head_dim entries are rotated
// and the rest is unchanged. s is the factor, C the tokens of the shorter context.
//
//   plain     f_i = theta^(-2i/n)
//   linear    f_i / s
//   dynamic   theta (s T / C - s + 1)^(n/(n-2)) in place of theta if a text has T > C tokens
//   llama3    f_i if it turns at least `high` times in C tokens, f_i / s if at most `low` times,
//             between: (1 - m) f_i / s + m f_i,  m = (turns - low) / (high - low)
//   yarn      the same with m = 1 - ramp(i) along the index: ramp is 0 up to the index that turns
//             beta_fast times and 1 from the index that turns beta_slow times (Peng et al., 2023);
//             cosines and sines are multiplied by a constant
//
// Frequencies and angles are in double; cosines and sines are rounded once to FP32. (transformers
// has frequencies in FP32, which moves the angle of token t by up to t 2^-24.)
#pragma once

#include <cstdint>
#include <vector>

#include "hf/config.h"
#include "tensor/tensor.h"

namespace bitlaw {
class JsonFields;
}

namespace bitlaw::hf {

// The rotation in config.json, with the keys of transformers 4 (rope_theta and rope_scaling,
// GPT-NeoX's rotary_emb_base and rotary_pct) or 5 (rope_parameters). Uses family, head_dim and
// context of `a`. Errors as in parse_architecture().
Rotary read_rotary(const JsonFields& settings, const Architecture& a);

// f_i for texts of T tokens, in radians per token, [dim / 2].
std::vector<double> rotary_frequencies(const Rotary& rotary, int64_t T);

// [T, dim] F32: the cosines of a token in the first half of its row, the sines in the second, both
// times attention_factor.
Tensor rotary_table(const Rotary& rotary, int64_t T);

}  // namespace bitlaw::hf
