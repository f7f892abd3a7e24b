// Scaling law for compressed representations (Panferov et al. 2025, arXiv 2506.01863), in nats per
// token: the capacity of a format follows from its error on a Gaussian.
//
//   L     = A / N_eff^alpha + B / D^beta + E,     N_eff = N prod_x rho_x
//   rho_x = tanh(F_x log_{1/4} g_x)^C_x,          g_x = GMSE of part x
//
// GMSE is the mean squared error of the format on a unit Gaussian at its best scale
// (formats/gaussian_error.h). A table may give it; otherwise that of the best uniform grid with the
// same number of bits is used. --gaussian-error block takes that of blocks with a scale each instead
// (formats/block_noise.h). log_{1/4} g is roughly the effective number of bits: 1.95 at two
// bits, 6.7 at eight. The authors' factor L in front of tanh is 1 to their digits and is 1 here, so
// that an exact format loses nothing. The authors' F and C are for weights; here each part has its
// own.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/chinchilla.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

// F and C of tanh(F worth)^C.
constexpr Parameter saturation(const char* name, const char* meaning, Quantity of) {
  return positive(name, meaning, {1e-3, 100}, {0.1, 1.5}).identified_by(of, 1);
}
constexpr Parameter capacity_exponent(const char* name, const char* meaning, Quantity of) {
  return positive(name, meaning, {1e-2, 30}, {0.3, 4}).identified_by(of, 2);
}

struct Panferov {
  static constexpr const char* kName = "panferov";
  static constexpr const char* kTitle = "Effective parameters from a format's error on a Gaussian";
  static constexpr const char* kSource = "Panferov et al. 2025, arXiv 2506.01863";
  static constexpr const char* kFormula =
      "L = A/N_eff^alpha + B/D^beta + E; N_eff = N prod_x tanh(F_x log_{1/4} GMSE_x)^C_x";
  static constexpr const char* kNotes =
      "GMSE is the format's mean squared error on a unit Gaussian: from the table, or else that of "
      "the best uniform grid with the same number of bits; or, with --gaussian-error block, that "
      "of "
      "blocks whose largest entry sets the scale. The authors' factor L in front of tanh is 1. "
      "Here each part has its own F and C.";
  static constexpr bool kUsesBits = true;

  enum { kA, kAlpha, kB, kBeta, kE, kFW, kCW, kFA, kCA, kFKv, kCKv, kTrainingParameters };
  static constexpr std::array kParameters{
      Chinchilla::kParameters[Chinchilla::kA],
      Chinchilla::kParameters[Chinchilla::kAlpha],
      Chinchilla::kParameters[Chinchilla::kB],
      Chinchilla::kParameters[Chinchilla::kBeta],
      Chinchilla::kParameters[Chinchilla::kE],
      saturation("F_w", "how fast capacity saturates with effective bits, weights",
                 Quantity::kWeightBits),
      capacity_exponent("C_w", "exponent of capacity, weights", Quantity::kWeightBits),
      saturation("F_a", "how fast capacity saturates, activations", Quantity::kActivationBits),
      capacity_exponent("C_a", "exponent of capacity, activations", Quantity::kActivationBits),
      saturation("F_kv", "how fast capacity saturates, keys and values", Quantity::kKvBits),
      capacity_exponent("C_kv", "exponent of capacity, keys and values", Quantity::kKvBits)};

  static constexpr auto kStart = values_of(
      kParameters, is(kA, 20), is(kAlpha, 0.13), is(kB, 400), is(kBeta, 0.33), is(kE, 1.3),
      is(kFW, 0.41), is(kCW, 1.39), is(kFA, 0.41), is(kCA, 1.39), is(kFKv, 0.41), is(kCKv, 1.39));
  static constexpr std::array kConstants{
      ConstantSet{.name = "start",
                  .source = "starting point: alpha, beta, E, F and C as published (arXiv "
                            "2506.01863), F and C for every part; A and B are round numbers, "
                            "because none were found for this law",
                  .values = kStart}};

  // log tanh(F log_{1/4} g)^C; 0 if the part is not quantized. A useless format (g = 1 and above)
  // counts as one hundredth of a bit.
  template <class Real, class Number>
  static BITLAW_INLINE Real log_capacity(const Number& log_error, const Real& F, const Real& C) {
    using std::log;
    using std::tanh;
    const Number worth = min(max(log_error * (-0.5 / kLog2), 0.01), 1e3);
    const Real capacity = C * log(tanh(F * worth));
    return select(log_error < -1e3, Real(Number(0.0)), capacity);
  }

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    const Real share = log_capacity(run.log_gaussian_error_weights, p[kFW], p[kCW]) +
                       log_capacity(run.log_gaussian_error_activations, p[kFA], p[kCA]) +
                       log_capacity(run.log_gaussian_error_kv, p[kFKv], p[kCKv]);
    return p[kE] + p[kA] * falling(p[kAlpha], log_effective_params(share, run)) +
           p[kB] * falling(p[kBeta], run.log_tokens);
  }
};

}  // namespace bitlaw
