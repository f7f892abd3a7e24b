// Closed forms of compute-optimal planning, for every law whose loss is
//
//   L(N, D, P) = E + A / (N f(P))^alpha + B / D^beta,    log f in closed form (Law::has_share)
//
// (chinchilla is the case f = 1), with misprints of arXiv 2411.04330 corrected:
//
//   N D = K, P fixed        N* = (alpha A f^-alpha / (beta B))^(1/(alpha+beta)) K^(beta/(alpha+beta))
//   N, D, P free            P* = argmax f(P) / cost(P): neither the budget nor A, B, alpha, beta
//   N fixed, optimal P      alpha A (N f)^-alpha dlog f/dlog P = beta B D^-beta dlog cost/dlog P
//
// Other forms and further constraints are solved numerically (plan/split.h, plan/optimum.h).
#pragma once

#include <span>

#include "laws/registry.h"
#include "plan/precision.h"

namespace bitlaw {

// A law with constants, seen as the form above. Refers to `law` and `values`, which must outlive
// it.
class EffectiveForm {
 public:
  // Whether the law with these constants has this form and gives finite numbers: the same loss, to
  // rounding, at several points far apart.
  static bool fits(const Law& law, std::span<const double> values);
  EffectiveForm(const Law& law, std::span<const double> values);

  double log_share(const Bits& bits) const;  // log f
  // Nats per token; post_bits = 0 means no post-training quantization.
  double loss(double params, double tokens, const Bits& bits, double post_bits = 0) const;

  // N* for N D = product at fixed bits; D* is product / N*.
  double best_params(double product, const Bits& bits) const;
  // The tied P at which, for a model of N, bits and tokens are worth the same at the margin (linear
  // cost).
  double balanced_bits(double params, double tokens, double low, double high) const;

 private:
  const Law* law_;
  const double* p_;
  double A_, B_, alpha_, beta_;
};

}  // namespace bitlaw
