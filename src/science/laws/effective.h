// P*, N_eff and D_crit: what follows from the constants of any law, whatever its form. This is their
// one definition; fits, designs, plans and reports all ask here.
//
//   N_eff / N of a run    the s with L(s N, D, not quantized) = L(N, D, as the run was trained)
//   P*                    argmin over P of the least loss that a budget C buys, N and D being free
//                         and every parameter and token costing its bits: 6 N D P / 16 = C
//   D_crit                the D from which on more training makes the quantized model worse: where
//                         L(N, D) + delta(N, D, P_post) is least
//
// "Not quantized" has unlimited bits here, as in the paper's formulas: f(16) is 0.997 against it.
// A law with A / (N f(P))^alpha has N_eff = N f(P) and P* = argmax f(P) / P, at any N, D and C. Bits
// may cost data instead, or both, or depend on all three; the definitions stay, and the numbers then
// hold at one N, D and C (Middle).
#pragma once

#include <array>
#include <span>

#include "laws/registry.h"

namespace bitlaw {

// P* and a plan's free P lie within; an end is the answer where the loss still falls towards it.
inline constexpr double kFewestBits = 1, kMostBits = 32;

// Weights, activations, KV: those that are lowered together while the others have unlimited bits.
using Parts = std::array<bool, 3>;
inline constexpr Parts kAllParts{true, true, true};

// Whether what the law predicts of training changes with the bits of these parts: some laws know no bits, or only
// those of quantization afterwards. Laws with precision classes do.
bool feels_bits(const Law& law, const double* p, const Parts& parts = kAllParts);

// N_eff / N. NaN where the law does not feel bits, where no size makes up for the run's precision
// (shares below e^-40), or where the law says nothing of the run. The run's quantization after
// training is not counted.
double effective_share(const Law& law, const double* p, const Observation& run);

// The same of a run that ended at `loss` nats: what its size was worth.
double share_at_loss(const Law& law, const double* p, const Observation& run, double loss);

// P* of these parts for a budget of `compute` FLOP at 16 bits, to about 1e-8 bits. NaN for laws that
// do not feel these bits, or know only classes of them. like: what else a law may ask of a run, such
// as its group.
double best_bits(const Law& law, const double* p, double compute, const Parts& parts,
                 const Observation& like = {});

// D_crit of a model that is not quantized while training, tokens; infinite where more data never
// hurts, NaN for laws without both terms. model: its N, and what else a law may ask of it.
double critical_tokens(const Law& law, const double* p, const Observation& model, double post_bits);
double critical_tokens(const Law& law, const double* p, double params, double post_bits);

// Where numbers that depend on N, D or C are asked for, of a table: N_eff in its middle, P* at ten
// times its largest budget, that of the next study.
struct Middle {
  Observation
      run;  // N and D: geometric middles of the least and the most; the group if all share it
  double next_compute;
};
Middle middle_of(std::span<const Observation> runs);

}  // namespace bitlaw
