// Our additive form, in nats per token: Chinchilla's loss plus a quantization error that grows with
// data, falls with size, and falls exponentially with the bits of each part.
//
//   L = E + A / N^alpha + B / D^beta + D^gamma_D / N^gamma_N sum_x k_x exp(-P_x / gamma_x)
//
// It has the shape of Kumar's and Chen's terms for quantization, without effective parameters. No
// constants are published for it.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/chinchilla.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

// k and gamma of k exp(-P / gamma).
constexpr Parameter error_at_no_bits(const char* name, const char* meaning, Quantity of) {
  return positive(name, meaning, {1e-12, 1e12}, {1e-2, 100}).solved_for().identified_by(of, 1);
}
constexpr Parameter bits_of_error(const char* name, const char* meaning, Quantity of) {
  return positive(name, meaning, {0.05, 50}, {0.3, 4}).identified_by(of, 2);
}

struct AdditiveExp {
  static constexpr const char* kName = "additive-exp";
  static constexpr const char* kTitle = "Additive error, exponential in the bits of each part";
  static constexpr const char* kSource = "ours; in the spirit of arXiv 2411.04330 and 2505.14302";
  static constexpr const char* kFormula =
      "L = E + A/N^alpha + B/D^beta + D^gamma_D/N^gamma_N sum_x k_x exp(-P_x/gamma_x)";
  static constexpr bool kUsesBits = true;
  static constexpr bool kAdditiveRival = true;

  enum { kGammaD = Chinchilla::kTrainingParameters, kGammaN, kKW, kGammaW, kKA, kGammaA, kKKv };
  enum { kGammaKv = kKKv + 1, kTrainingParameters };
  static constexpr std::array kParameters = joined(
      Chinchilla::kParameters,
      std::array{
          slope_of_error("gamma_D", "growth of the error with data", Quantity::kTokens),
          slope_of_error("gamma_N", "decrease of the error with size", Quantity::kSizes),
          error_at_no_bits("k_w", "error of weights at N = D = 1 and zero bits, nats",
                           Quantity::kWeightBits),
          bits_of_error("gamma_w", "bits per factor of e, weights", Quantity::kWeightBits),
          error_at_no_bits("k_a", "error of activations, nats", Quantity::kActivationBits),
          bits_of_error("gamma_a", "bits per factor of e, activations", Quantity::kActivationBits),
          error_at_no_bits("k_kv", "error of keys and values, nats", Quantity::kKvBits),
          bits_of_error("gamma_kv", "bits per factor of e, keys and values", Quantity::kKvBits)});

  static constexpr auto kStart =
      values_of(kParameters, Chinchilla::kHoffmann, is(kGammaD, 0.2), is(kGammaN, 0.2), is(kKW, 1),
                is(kGammaW, 1), is(kKA, 1), is(kGammaA, 1), is(kKKv, 1), is(kGammaKv, 1));
  static constexpr std::array kConstants{
      ConstantSet{.name = "start",
                  .source = "starting point, nothing published: training constants of Hoffmann "
                            "et al. 2022, round numbers for the rest",
                  .values = kStart}};

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    using std::exp;
    const Real parts = p[kKW] * exp(-(run.bits_weights / p[kGammaW])) +
                       p[kKA] * exp(-(run.bits_activations / p[kGammaA])) +
                       p[kKKv] * exp(-(run.bits_kv / p[kGammaKv]));
    const Real scale = exp(p[kGammaD] * run.log_tokens - p[kGammaN] * run.log_params);
    return Chinchilla::loss(p, run) + scale * parts;
  }
};

}  // namespace bitlaw
