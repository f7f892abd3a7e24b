// P*, N_eff and D_crit, computed from the constants of any law. This is their only definition;
// fits, designs, plans and reports all use it.
//
//   N_eff / N of a run    the s with L(s N, D, not quantized) = L(N, D, as the run was trained)
//   P*                    argmin over P of the least loss that a budget C buys, N and D being free
//                         and every parameter and token costing its bits: 6 N D P / 16 = C
//   D_crit                the D beyond which more training makes the quantized model worse: the
//                         minimum of L(N, D) + delta(N, D, P_post)
//
// "Not quantized" means unlimited bits, as in the paper's formulas: relative to that, f(16) is
// 0.997. A law with A / (N f(P))^alpha has N_eff = N f(P) and P* = argmax f(P) / P, at any N, D and
// C. In other laws bits reduce the data, or both, or the effect depends on N, D and C. The
// definitions are the same, and the numbers then hold at one N, D and C (Middle).
#pragma once

#include <array>
#include <span>

#include "laws/registry.h"

namespace bitlaw {

// Range of P* and of a plan's free P. An end is the answer if the loss still falls towards it.
inline constexpr double kFewestBits = 1, kMostBits = 32;
// Then there is no best precision, only an end of what was searched.
inline bool is_end_of_bits(double bits) {
  return bits <= kFewestBits || bits >= kMostBits;
}

// Weights, activations, KV: the parts that are quantized together; the others have unlimited bits.
using Parts = std::array<bool, 3>;
inline constexpr Parts kAllParts{true, true, true};

// Whether the law's prediction for training depends on the bits of these parts. Some laws have no
// bits, or only those of post-training quantization. Laws with precision classes do depend on them.
bool feels_bits(const Law& law, const double* p, const Parts& parts = kAllParts);

// Whether it depends on the error of a format on a unit Gaussian.
bool feels_gaussian_error(const Law& law, const double* p);

// The parts that P* and N_eff of the law are of: all, since a compiled law says in its formula what its
// bits stand for; of a law made from a formula, those whose bits it depends on.
Parts parts_of(const Law& law, const double* p);
bool has_parts(const Law& law, const double* p, const Parts& parts);

// N_eff / N. NaN if the law does not depend on bits, if no size compensates for the run's precision
// (shares below e^-40), or if the law does not predict the run. Post-training quantization of the
// run is not counted.
double effective_share(const Law& law, const double* p, const Observation& run);

// The same for a run with a measured loss of `loss` nats.
double share_at_loss(const Law& law, const double* p, const Observation& run, double loss);

// P* of these parts for a budget of `compute` FLOP at 16 bits, to about 1e-8 bits. NaN for laws
// that do not depend on these bits, or only through classes. like: other inputs of the law, such as
// the group size.
double best_bits(const Law& law, const double* p, double compute, const Parts& parts,
                 const Observation& like = {});

// D_crit, in tokens, of a model that is not quantized during training; infinite if more data never
// hurts, NaN for laws without both terms. model: its N and other inputs of the law.
double critical_tokens(const Law& law, const double* p, const Observation& model, double post_bits);
double critical_tokens(const Law& law, const double* p, double params, double post_bits);

// Where numbers of a table that depend on N, D or C are evaluated: N_eff in its middle, P* at ten
// times its largest budget, as an estimate of the next study's.
struct Middle {
  Observation
      run;  // N and D: geometric middles of the least and the most; the group if all share it; the
            // mean share of fixed parameters
  double next_compute;
};
Middle middle_of(std::span<const Observation> runs);

}  // namespace bitlaw
