// Scaling law of Hoffmann et al. (2022, arXiv 2203.15556), eq. 2, in nats per token:
//
//   L(N, D) = E + A / N^alpha + B / D^beta
//
// It does not model bits.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct Chinchilla {
  static constexpr const char* kName = "chinchilla";
  static constexpr const char* kTitle = "Loss as a function of parameters and tokens";
  static constexpr const char* kSource = "Hoffmann et al. 2022, arXiv 2203.15556, eq. 2";
  static constexpr const char* kFormula = "L = E + A/N^alpha + B/D^beta";
  static constexpr bool kUsesBits = false;

  enum { kE, kA, kB, kAlpha, kBeta, kTrainingParameters };
  static constexpr std::array kParameters{irreducible_loss("E"),
                                          size_term("A", "loss at N = 1 from finite size, nats"),
                                          data_term("B", "loss at D = 1 from finite data, nats"),
                                          exponent_of_size("alpha"), exponent_of_data("beta")};

  // The unrounded values of Hoffmann et al. are from the TeX source of their paper, as given by
  // Besiroglu et al., who refitted the same data to convergence.
  static constexpr auto kHoffmann =
      values_of(kParameters, is(kE, 1.69337), is(kA, 406.4), is(kB, 410.7), is(kAlpha, 0.33917),
                is(kBeta, 0.28491));
  static constexpr auto kBesiroglu =
      values_of(kParameters, is(kE, 1.8172), is(kA, 482.01), is(kB, 2085.43), is(kAlpha, 0.3478),
                is(kBeta, 0.3658));
  static constexpr std::array kConstants{
      ConstantSet{.name = "hoffmann",
                  .source = "Hoffmann et al. 2022, arXiv 2203.15556, approach 3",
                  .values = kHoffmann},
      ConstantSet{.name = "besiroglu",
                  .source = "Besiroglu et al. 2024, arXiv 2404.10102, refit of the same data",
                  .values = kBesiroglu}};

  // Nats per token. p: kTrainingParameters values in the order above.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    return p[kE] + p[kA] * falling(p[kAlpha], run.log_params) +
           p[kB] * falling(p[kBeta], run.log_tokens);
  }

  // log(N_eff / N)
  template <class Real, class Number>
  static BITLAW_INLINE Real log_share(const Real*, const Inputs<Number>&) {
    return Real(Number(0.0));
  }
};

}  // namespace bitlaw
