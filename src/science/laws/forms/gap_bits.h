// The gap of a training recipe (forms/gap_class.h) as a power of the fewest bits of any part, in nats
// per token:
//
//   L - L_reference = k D^beta_D / (N^alpha_N P^gamma_P),     P = min over the parts of P_x
//
// The form is that of Ouyang et al. (2024, arXiv 2411.17691) for quantization after training.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/gap_class.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct GapBits {
  static constexpr const char* kName = "gap-bits";
  static constexpr const char* kTitle = "Gap to the reference run, a power of its fewest bits";
  static constexpr const char* kSource =
      "the form of Ouyang et al. 2024, arXiv 2411.17691, for training instead of after it";
  static constexpr const char* kFormula =
      "L - L_reference = k D^beta_D/(N^alpha_N P^gamma_P); P = min_x P_x";
  static constexpr const char* kNotes =
      "Predicts a gap between runs of the same N, D and seed, not a loss: `bitlaw fit --gap-to` "
      "pairs "
      "the runs.";
  static constexpr bool kUsesBits = true;
  static constexpr Predicts kPredicts = Predicts::kGap;

  enum { kK, kBetaD, kAlphaN, kGammaP, kTrainingParameters };
  static constexpr std::array kParameters{
      positive("k", "gap at N = D = P = 1, nats", {1e-15, 1e15}, {1e-4, 10}).solved_for(),
      slope_of_gap("beta_D", "growth of the gap with data", Quantity::kTokens),
      slope_of_gap("alpha_N", "decrease of the gap with size", Quantity::kSizes),
      positive("gamma_P", "decrease of the gap with bits", {1e-2, 60}, {1, 10})
          .identified_by(Quantity::kAnyBits, 2)};

  static constexpr auto kStart =
      values_of(kParameters, is(kK, 1), is(kBetaD, 0.2), is(kAlphaN, 0.2), is(kGammaP, 3));
  static constexpr std::array kConstants{
      ConstantSet{.name = "start",
                  .source = "starting point, nothing published: round numbers",
                  .values = kStart}};

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    using std::exp;
    using std::log;
    const Number bits = min(run.bits_weights, min(run.bits_activations, run.bits_kv));
    return p[kK] *
           exp(p[kBetaD] * run.log_tokens - p[kAlphaN] * run.log_params - p[kGammaP] * log(bits));
  }
};

}  // namespace bitlaw
