// Closed forms of compute-optimal planning, for every law whose loss is
//
//   L(N, D, P) = E + A / (N f(P))^alpha + B / D^beta,    f(P) = f_w(P_w) f_a(P_a) f_kv(P_kv)
//
// (chinchilla is the case f = 1), with slips of arXiv 2411.04330 corrected:
//
//   N D = K, P fixed      N* = (alpha A f^-alpha / (beta B))^(1/(alpha+beta)) K^(beta/(alpha+beta))
//   N, D, P free          P* = argmax f(P) / cost(P): neither the budget nor A, B, alpha, beta
//   enter N fixed, optimal P    alpha A (N f)^-alpha dlog f/dlog P = beta B D^-beta dlog cost/dlog
//   P critical data         D_crit = (beta B N^gamma_N exp(P_post/gamma_post - b) / (gamma_D C_T))
//                                    ^(1/(gamma_D + beta))
#pragma once

#include <span>
#include <vector>

#include "laws/registry.h"

namespace bitlaw {

struct Bits {
  double weights = kUnquantizedBits, activations = kUnquantizedBits, kv = kUnquantizedBits;
  static Bits all(double bits) { return {bits, bits, bits}; }
};

// How cost grows with bits, relative to 16: linear (bits / 16), or the inverse of a speed-up table.
// The cost of a mixture is the mean over weights, activations and KV.
struct CostModel {
  struct Step {
    double bits, speed_up;
  };
  std::vector<Step> steps;  // by rising bits; empty = linear. P bits run as the next wider step.

  double of(double bits) const;  // infinite above the widest step
  double of(const Bits& bits) const;
};

// A law with constants, seen as the form above. Refers to `law` and `values`, which must outlive
// it.
class EffectiveForm {
 public:
  // False where the law is not of this form.
  static bool fits(const Law& law);
  EffectiveForm(const Law& law, std::span<const double> values);

  bool uses_bits() const { return law_->uses_bits; }
  bool has_post_term() const { return law_->has_delta; }

  double log_share(const Bits& bits) const;  // log f
  // Nats per token; post_bits = 0 is no quantization afterwards.
  double loss(double params, double tokens, const Bits& bits, double post_bits = 0) const;
  double delta(double params, double tokens, const Bits& bits, double post_bits) const;

  // N* for N D = product at fixed bits; D* is product / N*.
  double best_params(double product, const Bits& bits) const;
  // D_crit: the loss after quantizing a BF16 model (its N in full) to post_bits is least there.
  // Infinite where more data never hurts.
  double critical_tokens(double params, double post_bits) const;
  // The tied P at which, for a model of N, bits and tokens are worth the same at the margin (linear
  // cost).
  double balanced_bits(double params, double tokens, double low, double high) const;

 private:
  const Law* law_;
  const double* p_;
  double A_, B_, alpha_, beta_;
  int gamma_[3], n_[3];  // positions of the constants of f for weights, activations, KV; -1 = none
};

}  // namespace bitlaw
