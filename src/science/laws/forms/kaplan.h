// Scaling law of Kaplan et al. (2020, arXiv 2001.08361), eq. 1.5, in nats per token:
//
//   L(N, D) = [ (N_c / N)^(alpha_N / alpha_D) + D_c / D ]^alpha_D
//
// for models trained until their test loss stops falling, on D distinct tokens. There is no irreducible
// loss, so it falls to zero. It does not model bits.
#pragma once

#include <array>
#include <cmath>

#include "laws/common_parameters.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

// N_c and D_c: where one of the two terms alone would give a loss of 1.
constexpr Parameter scale_of_power(const char* name, const char* meaning) {
  return positive(name, meaning, {1, 1e30}, {1e6, 1e16});
}

struct Kaplan {
  static constexpr const char* kName = "kaplan";
  static constexpr const char* kTitle = "One power of a sum of powers of parameters and tokens";
  static constexpr const char* kSource = "Kaplan et al. 2020, arXiv 2001.08361, eq. 1.5";
  static constexpr const char* kFormula = "L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D";
  static constexpr const char* kNotes =
      "Without an irreducible loss. D is the size of the data set, of which models see what they "
      "need; "
      "N does not count embeddings.";
  static constexpr bool kUsesBits = false;

  enum { kNc, kDc, kAlphaN, kAlphaD, kTrainingParameters };
  static constexpr std::array kParameters{
      scale_of_power("N_c", "parameters at which the loss is 1 nat with unlimited data"),
      scale_of_power("D_c", "tokens at which the loss is 1 nat with an unlimited model"),
      exponent_of_size("alpha_N"), exponent_of_data("alpha_D")};

  static constexpr auto kPublished = values_of(kParameters, is(kNc, 6.4e13), is(kDc, 1.8e13),
                                               is(kAlphaN, 0.076), is(kAlphaD, 0.103));
  static constexpr std::array kConstants{ConstantSet{
      .name = "published",
      .source = "Kaplan et al. 2020, arXiv 2001.08361, table 2 (WebText2), as quoted in three "
                "independent public notes on it",
      .values = kPublished}};

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    using std::exp;
    using std::log;
    const Real size = exp(p[kAlphaN] / p[kAlphaD] * (log(p[kNc]) - run.log_params));
    const Real data = p[kDc] * exp(-Number(run.log_tokens));
    return exp(p[kAlphaD] * log(size + data));
  }
};

}  // namespace bitlaw
