// What follows from the constants of any law, whatever its form:
//
//   N_eff / N of a run    the s with L(s N, D, not quantized) = L(N, D, as the run was trained)
//   P*                    argmax over P of (N_eff / N)(P) / P: the bits that a fixed number of
//                         parameter-bits is best spent at
//   D_crit                the D from which on more training makes the quantized model worse: where
//                         L(N, D) + delta(N, D, P_post) is least
//
// "Not quantized" has unlimited bits here, as in the paper's formulas: f(16) is 0.997 against it.
// In laws whose N_eff does not depend on D the first two are the authors' own f.
#pragma once

#include <array>

#include "laws/registry.h"

namespace bitlaw {

// NaN where no size makes up for the run's precision, or the law says nothing of the run. The run's
// quantization after training is not counted.
double effective_share(const Law& law, const double* p, const Observation& run);

// Weights, activations, KV: those that are lowered together while the others have unlimited bits.
using Parts = std::array<bool, 3>;

// P* in [1, 16] for a run of N and D, to six digits; an end of
// that range where it is best. NaN for laws that know no bits, or only classes of them.
double best_bits(const Law& law, const double* p, double params, double tokens, const Parts& parts);

// D_crit of a model that is not quantized while training, tokens; infinite where more data never
// hurts, NaN for laws without both terms.
double critical_tokens(const Law& law, const double* p, double params, double post_bits);

}  // namespace bitlaw
