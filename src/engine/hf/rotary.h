// Rotary positions (Su et al., 2021): in every head of queries and keys the pair (x_i, x_{i+n/2}) of
// token t turns by the angle t f_i, i < n/2, where n <= head_dim entries turn and the rest stay.
//
//   plain     f_i = theta^(-2i/n)
//   linear    f_i / s                                   s: the factor, tokens of the longer context
//   dynamic   theta (s T / C - s + 1)^(n/(n-2)) as theta where a text has T > C tokens, C: the shorter
//             context; plain otherwise
//   llama3    f_i where it turns at least `high` times in C tokens, f_i / s where at most `low` times,
//             between: (1 - m) f_i / s + m f_i,  m = (turns - low) / (high - low)
//   yarn      the same with m = 1 - ramp(i) along the index: 0 up to the index that turns beta_fast times,
//             1 from that of beta_slow on (Peng et al., 2023), and cosines and sines times a constant
//
// Frequencies and angles are in double, cosines and sines are rounded once to FP32. (transformers has
// the frequencies in FP32, which moves the angle of token t by up to t 2^-24.)
#pragma once

#include <cstdint>
#include <vector>

#include "hf/config.h"
#include "tensor/tensor.h"

namespace bitlaw {
class JsonFields;
}

namespace bitlaw::hf {

// The rotation that config.json describes, in the spellings of transformers 4 (rope_theta and
// rope_scaling, GPT-NeoX's rotary_emb_base and rotary_pct) and 5 (rope_parameters). Of `a` it reads
// family, head_dim and context. Errors as in parse_architecture().
Rotary read_rotary(const JsonFields& settings, const Architecture& a);

// f_i of texts of T tokens, radians per token, [dim / 2].
std::vector<double> rotary_frequencies(const Rotary& rotary, int64_t T);

// [T, dim] F32: the cosines of a token in the first half of its row, the sines in the second, both
// times attention_factor.
Tensor rotary_table(const Rotary& rotary, int64_t T);

}  // namespace bitlaw::hf
