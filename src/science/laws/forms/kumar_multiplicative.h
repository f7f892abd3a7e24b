// The multiplicative power law that Kumar et al. (2024, arXiv 2411.04330, appendix C) compare
// theirs with, in nats per token: the parameters are multiplied by a power of the bits.
//
//   L = E + A / N_eff^alpha + B / D^beta,     N_eff = N prod_x (min(P_x, 16) / 16)^c_x
//
// The paper names this form without giving its terms. Assumed here: one exponent per part, and a
// factor of 1 at 16 bits (any other point gives the same law with another A).
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/chinchilla.h"
#include "laws/forms/kumar.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

// c of (P / 16)^c.
constexpr Parameter share_exponent(const char* name, const char* meaning, Quantity of) {
  return positive(name, meaning, {1e-4, 60}, {0.1, 4}).identified_by(of, 1);
}

struct KumarMultiplicative {
  static constexpr const char* kName = "kumar-multiplicative";
  static constexpr const char* kTitle = "Effective parameters as a power of bits";
  static constexpr const char* kSource =
      "Kumar et al. 2024, arXiv 2411.04330, appendix C (name only; the form is inferred)";
  static constexpr const char* kFormula =
      "L = E + A/N_eff^alpha + B/D^beta; N_eff = N prod_x (min(P_x, 16)/16)^c_x";
  static constexpr const char* kNotes =
      "The paper names this form without giving its terms. Assumed: one exponent per part, and a "
      "factor of 1 at 16 bits.";
  static constexpr bool kUsesBits = true;

  enum { kE, kA, kB, kAlpha, kBeta, kCW, kCA, kCKv, kTrainingParameters };
  static constexpr std::array kParameters = joined(
      Chinchilla::kParameters,
      std::array{share_exponent("c_w", "exponent of bits, weights", Quantity::kWeightBits),
                 share_exponent("c_a", "exponent of bits, activations", Quantity::kActivationBits),
                 share_exponent("c_kv", "exponent of bits, keys and values", Quantity::kKvBits)});

  static constexpr auto kStart =
      values_of(kParameters, first<kCW>(Kumar::kPublished), is(kCW, 1), is(kCA, 1), is(kCKv, 1));
  static constexpr std::array kConstants{
      ConstantSet{.name = "start",
                  .source = "starting point, nothing published: E, A, B, alpha and beta of the "
                            "paper's own law, exponents 1",
                  .values = kStart}};

  // log(min(P, 16) / 16)
  template <class Number>
  static BITLAW_INLINE Number log_share(const Number& bits) {
    using std::log;
    return log(min(bits, Number(kUnquantizedBits)) * (1 / kUnquantizedBits));
  }

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    const Real share = p[kCW] * log_share(run.bits_weights) +
                       p[kCA] * log_share(run.bits_activations) + p[kCKv] * log_share(run.bits_kv);
    return p[kE] + p[kA] * falling(p[kAlpha], log_effective_params(share, run)) +
           p[kB] * falling(p[kBeta], run.log_tokens);
  }
};

}  // namespace bitlaw
