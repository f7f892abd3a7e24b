// The multiplicative power law that Kumar et al. (2024, arXiv 2411.04330, appendix C) compare
// theirs with, in nats per token: bits multiply the parameters by a power of themselves.
//
//   L = E + A / N_eff^alpha + B / D^beta,     N_eff = N prod_x (min(P_x, 16) / 16)^c_x
//
// What is public names the form and not its terms, so these are assumed: one exponent for each
// part, and 16 bits, where the share is 1 (any other point is the same law with another A).
#pragma once

#include <array>

#include "laws/forms/chinchilla.h"
#include "laws/forms/kumar.h"
#include "laws/inputs.h"
#include "laws/parameter.h"
#include "laws/terms.h"

namespace bitlaw {

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
  static constexpr std::array kParameters{
      Chinchilla::kParameters[0],
      Chinchilla::kParameters[1],
      Chinchilla::kParameters[2],
      Chinchilla::kParameters[3],
      Chinchilla::kParameters[4],
      Parameter{"c_w", "exponent of bits, weights", Scale::kLog, 1e-4, 60, 0.1, 4, Stage::kTraining,
                false, Needs{Quantity::kWeightBits, 1}},
      Parameter{"c_a", "exponent of bits, activations", Scale::kLog, 1e-4, 60, 0.1, 4,
                Stage::kTraining, false, Needs{Quantity::kActivationBits, 1}},
      Parameter{"c_kv", "exponent of bits, keys and values", Scale::kLog, 1e-4, 60, 0.1, 4,
                Stage::kTraining, false, Needs{Quantity::kKvBits, 1}},
  };

  static constexpr std::array kStart{2.7648, 4299.0, 18060.0, 0.4965, 0.4965, 1.0, 1.0, 1.0};
  static constexpr std::array kConstants{ConstantSet{
      "start",
      "a starting point, none published: E, A, B, alpha and beta of the paper's own law, "
      "exponents 1",
      kStart}};

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
