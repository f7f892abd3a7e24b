// Our additive form, in nats per token: Chinchilla's loss, and an error of quantization that grows
// with data, falls with size, and falls exponentially with the bits of each part.
//
//   L = E + A / N^alpha + B / D^beta + D^gamma_D / N^gamma_N sum_x k_x exp(-P_x / gamma_x)
//
// It has the shape of Kumar's and Chen's terms for quantization, with no effective parameters.
// Nothing is published for it.
#pragma once

#include <array>

#include "laws/forms/chinchilla.h"
#include "laws/inputs.h"
#include "laws/parameter.h"
#include "laws/terms.h"

namespace bitlaw {

struct AdditiveExp {
  static constexpr const char* kName = "additive-exp";
  static constexpr const char* kTitle = "Additive error, exponential in the bits of each part";
  static constexpr const char* kSource = "ours; in the spirit of arXiv 2411.04330 and 2505.14302";
  static constexpr const char* kFormula =
      "L = E + A/N^alpha + B/D^beta + D^gamma_D/N^gamma_N sum_x k_x exp(-P_x/gamma_x)";
  static constexpr bool kUsesBits = true;

  enum {
    kGammaD = Chinchilla::kTrainingParameters,
    kGammaN,
    kKW,
    kGammaW,
    kKA,
    kGammaA,
    kKKv,
    kGammaKv,
    kTrainingParameters
  };
  static constexpr std::array kParameters{
      Chinchilla::kParameters[0],
      Chinchilla::kParameters[1],
      Chinchilla::kParameters[2],
      Chinchilla::kParameters[3],
      Chinchilla::kParameters[4],
      Parameter{"gamma_D", "growth of the error with data", Scale::kLinear, -3, 4, 0, 0.6,
                Stage::kTraining, false, Needs{Quantity::kTokens, 2, true}},
      Parameter{"gamma_N", "its fall with size", Scale::kLinear, -3, 4, 0, 0.6, Stage::kTraining,
                false, Needs{Quantity::kSizes, 2, true}},
      Parameter{"k_w", "error of weights at N = D = 1 and no bits, nats", Scale::kLog, 1e-12, 1e12,
                1e-2, 100, Stage::kTraining, true, Needs{Quantity::kWeightBits, 1}},
      Parameter{"gamma_w", "bits per factor e, weights", Scale::kLog, 0.05, 50, 0.3, 4,
                Stage::kTraining, false, Needs{Quantity::kWeightBits, 2}},
      Parameter{"k_a", "error of activations, nats", Scale::kLog, 1e-12, 1e12, 1e-2, 100,
                Stage::kTraining, true, Needs{Quantity::kActivationBits, 1}},
      Parameter{"gamma_a", "bits per factor e, activations", Scale::kLog, 0.05, 50, 0.3, 4,
                Stage::kTraining, false, Needs{Quantity::kActivationBits, 2}},
      Parameter{"k_kv", "error of keys and values, nats", Scale::kLog, 1e-12, 1e12, 1e-2, 100,
                Stage::kTraining, true, Needs{Quantity::kKvBits, 1}},
      Parameter{"gamma_kv", "bits per factor e, keys and values", Scale::kLog, 0.05, 50, 0.3, 4,
                Stage::kTraining, false, Needs{Quantity::kKvBits, 2}},
  };

  static constexpr std::array kStart{1.69337, 406.4, 410.7, 0.33917, 0.28491, 0.2, 0.2,
                                     1.0,     1.0,   1.0,   1.0,     1.0,     1.0};
  static constexpr std::array kConstants{
      ConstantSet{"start",
                  "a starting point, nothing is published: training as in Hoffmann et al. 2022, "
                  "round numbers for the rest",
                  kStart}};

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
