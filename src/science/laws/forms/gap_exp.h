// The gap of a training recipe (forms/gap_class.h), exponential in the bits of each part, in nats per
// token:
//
//   L - L_reference = D^gamma_D / N^gamma_N sum_x k_x exp(-P_x / gamma_x)
//
// This is the error term of additive-exp by itself; a part that is not quantized adds nothing.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/additive_exp.h"
#include "laws/forms/gap_class.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct GapExp {
  static constexpr const char* kName = "gap-exp";
  static constexpr const char* kTitle =
      "Gap to the reference run, exponential in the bits of each part";
  static constexpr const char* kSource = "ours; in the spirit of arXiv 2411.04330 and 2505.14302";
  static constexpr const char* kFormula =
      "L - L_reference = D^gamma_D/N^gamma_N sum_x k_x exp(-P_x/gamma_x)";
  static constexpr const char* kNotes =
      "Predicts a gap between runs of the same N, D and seed, not a loss: `bitlaw fit --gap-to` "
      "pairs "
      "the runs. The sum is over the parts below 16 bits.";
  static constexpr bool kUsesBits = true;
  static constexpr Predicts kPredicts = Predicts::kGap;

  enum { kGammaD, kGammaN, kKW, kGammaW, kKA, kGammaA, kKKv, kGammaKv, kTrainingParameters };
  static constexpr std::array kParameters =
      joined(std::array{slope_of_gap("gamma_D", "growth of the gap with data", Quantity::kTokens),
                        slope_of_gap("gamma_N", "decrease of the gap with size", Quantity::kSizes)},
             last<6>(AdditiveExp::kParameters));

  static constexpr auto kStart =
      values_of(kParameters, is(kGammaD, 0.2), is(kGammaN, 0.2), is(kKW, 1), is(kGammaW, 1),
                is(kKA, 1), is(kGammaA, 1), is(kKKv, 1), is(kGammaKv, 1));
  static constexpr std::array kConstants{
      ConstantSet{.name = "start",
                  .source = "starting point, nothing published: round numbers",
                  .values = kStart}};

  template <class Real, class Number>
  static BITLAW_INLINE Real of_part(const Real& k, const Real& gamma, const Number& bits) {
    using std::exp;
    return select(bits < Number(kUnquantizedBits), k * exp(-(bits / gamma)), Real(0.0));
  }

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    using std::exp;
    const Real parts = of_part(p[kKW], p[kGammaW], run.bits_weights) +
                       of_part(p[kKA], p[kGammaA], run.bits_activations) +
                       of_part(p[kKKv], p[kGammaKv], run.bits_kv);
    return exp(p[kGammaD] * run.log_tokens - p[kGammaN] * run.log_params) * parts;
  }
};

}  // namespace bitlaw
