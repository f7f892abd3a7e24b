// How many bits the codes of a rounded weight take after entropy coding: the entropy
//
//   H = - sum_k p_k log2 p_k,      p_k = the share of the weights with code k
//
// which an arithmetic coder with one fixed table reaches to a fraction of a per cent. p_k is counted
// (entropy_of_counts), or it is that of normal weights under a format's quantizer:
//
//   one scale for all      p_k = Phi(b_k s) - Phi(b_(k-1) s)         b_k: the middle of two codes
//   abs-max over a group   the scale is M / max_code with M = max |x_i| of g normal numbers, so
//                          p_k = [k at either end] / 2g
//                                + integral (g-1) (2 Phi(m) - 1)^(g-2) 2 phi(m)
//                                  (Phi(b_k m / max_code) - Phi(b_(k-1) m / max_code)) dm
//
// (one of the g is the largest and gets an end of the range; the others are normal, cut at m). The
// integral is taken by Gauss's rule to about 1e-10. In bits per weight, scales not counted:
//
//   group       32      128     1024     4096
//   int2     1.073    0.813    0.524    0.388
//   int3     2.454    2.209    1.940    1.807
//   int4     3.624    3.385    3.102    2.958
//   int8     7.691    7.531    7.267    7.121       bf16 without a scale: 10.464
#pragma once

#include <cstdint>
#include <span>

#include "formats/format.h"

namespace bitlaw {

// Of how often each code occurs; 0 for no counts at all. Error (BITLAW_CHECK) for negative counts.
double entropy_of_counts(std::span<const double> counts);

// Of a standard normal variable rounded to code * scale; bf16 has no scale (1). Not for fp32.
double gaussian_code_entropy(const Format& format, double scale);

// The same with abs-max scales, each over `group` >= 1 entries. Of a format with scales.
double gaussian_group_entropy(const Format& format, int64_t group);

}  // namespace bitlaw
