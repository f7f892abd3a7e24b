// The gap of a training recipe, in nats per token: its loss minus that of the reference run of the same
// N, D and seed. One factor per precision class.
//
//   L - L_reference = k[class] D^gamma_D / N^gamma_N
//
// This is the error term of additive-class by itself. Fitted to differences of paired runs, whose
// common noise cancels, it knows its exponents better than the same term does within a law of losses.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

constexpr Parameter slope_of_gap(const char* name, const char* meaning, Quantity of) {
  return of_either_sign(name, meaning, {-3, 4}, {0, 0.6}).identified_by(of, 2);
}

struct GapClass {
  static constexpr const char* kName = "gap-class";
  static constexpr const char* kTitle = "Gap to the reference run, one factor per precision class";
  static constexpr const char* kSource = "ours; in the spirit of arXiv 2505.14302";
  static constexpr const char* kFormula = "L - L_reference = k[class] D^gamma_D/N^gamma_N";
  static constexpr const char* kNotes =
      "Predicts a gap between runs of the same N, D and seed, not a loss: `bitlaw fit --gap-to` "
      "pairs "
      "the runs.";
  static constexpr bool kUsesBits = true;
  static constexpr Predicts kPredicts = Predicts::kGap;

  enum { kGammaD, kGammaN, kTrainingParameters };
  static constexpr std::array kParameters{
      slope_of_gap("gamma_D", "growth of the gap with data", Quantity::kTokens),
      slope_of_gap("gamma_N", "decrease of the gap with size", Quantity::kSizes)};
  static constexpr std::array kClassParameters{ClassParameter{
      .parameter =
          positive("k", "gap of a precision class at N = D = 1, nats", {1e-12, 1e12}, {1e-3, 10})
              .solved_for(),
      .reference = 0}};

  static constexpr auto kStart = values_of(kParameters, is(kGammaD, 0.2), is(kGammaN, 0.2));
  static constexpr std::array kConstants{
      ConstantSet{.name = "start",
                  .source = "starting point, nothing published: round numbers",
                  .values = kStart}};

  // Nats per token. of_class: k of the row's class.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Real* of_class, const Inputs<Number>& run) {
    using std::exp;
    return of_class[0] * exp(p[kGammaD] * run.log_tokens - p[kGammaN] * run.log_params);
  }
};

}  // namespace bitlaw
