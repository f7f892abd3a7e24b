// The multiplicative power law that Kumar et al. (2024, arXiv 2411.04330, appendix C) compare
// theirs with, in nats per token: bits multiply the parameters by a power of themselves.
//
//   L = E + A / N_eff^alpha + B / D^beta,     N_eff = N prod_x (min(P_x, 16) / 16)^c_x
//
// What is public names the form and not its terms, so these are assumed: one exponent for each
// part, and 16 bits, where the share is 1 (any other point is the same law with another A).
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
      "Kumar et al. 2024, arXiv 2411.04330, appendix C (the name; the form is read from it)";
  static constexpr const char* kFormula =
      "L = E + A/N_eff^alpha + B/D^beta; N_eff = N prod_x (min(P_x, 16)/16)^c_x";
  static constexpr const char* kNotes =
      "What is public names the form and not its terms: one exponent for each part is assumed, and "
      "16 bits as the point where the share is 1.";
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
                  .source = "a starting point, none published: E, A, B, alpha and beta of the "
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
    const Real log_effective = p[kCW] * log_share(run.bits_weights) +
                               p[kCA] * log_share(run.bits_activations) +
                               p[kCKv] * log_share(run.bits_kv) + run.log_params;
    return p[kE] + p[kA] * falling(p[kAlpha], log_effective) +
           p[kB] * falling(p[kBeta], run.log_tokens);
  }
};

}  // namespace bitlaw
