// The law of Kumar et al. (2024, arXiv 2411.04330) with the bracket of the weights alone:
//
//   delta = C_T exp(-P_post / gamma_post + b) D^gamma_D / N_eff^gamma_N [1 - exp(-C_w (P_w - P_post))]
//
// The authors' product over all parts makes delta zero once P_post reaches the bits of activations or
// of keys and values in training, although rounding the weights still changes the model: measured
// .0197 +- .0015 nats at A4 with weights to 4 bits, .0326 +- .0015 at KV4.
#pragma once

#include <array>
#include <cmath>

#include "laws/common_parameters.h"
#include "laws/forms/kumar.h"
#include "laws/inputs.h"

namespace bitlaw {

struct KumarWBracket {
  static constexpr const char* kName = "kumar-w-bracket";
  static constexpr const char* kTitle =
      "Effective parameters; after training, only the bits of the weights protect them";
  static constexpr const char* kSource =
      "ours; Kumar et al. 2024, arXiv 2411.04330, eq. 9 with one factor of its bracket";
  static constexpr const char* kFormula =
      "L = E + A/N_eff^alpha + B/D^beta + delta; N_eff = N prod_x (1 - exp(-P_x/gamma_x + n_x)); "
      "delta = C_T exp(-P_post/gamma_post + b) D^gamma_D / N_eff^gamma_N "
      "(1 - exp(-C_w (P_w - P_post)))";
  static constexpr const char* kNotes =
      "kumar predicts no loss from rounding weights to as many bits as activations or keys and "
      "values "
      "had in training; this law does. The constants are kumar's.";
  static constexpr bool kUsesBits = true;

  enum { kTrainingParameters = Kumar::kTrainingParameters };
  static constexpr std::array kParameters = first<Kumar::kCW + 1>(Kumar::kParameters);
  static constexpr auto kValues = first<Kumar::kCW + 1>(Kumar::kPublished);
  static constexpr std::array kConstants{ConstantSet{
      .name = "published",
      .source = "Kumar et al. 2024, arXiv 2411.04330, appendix K; C_w unpublished, taken "
                "as a step",
      .values = kValues}};

  // log(N_eff / N)
  template <class Real, class Number>
  static BITLAW_INLINE Real log_share(const Real* p, const Inputs<Number>& run) {
    return Kumar::log_share(p, run);
  }

  // Nats per token at the end of training. p: at least the first kTrainingParameters values.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    return Kumar::loss(p, run);
  }

  // Loss difference in nats; zero unless training used more bits for weights than run.bits_post. p:
  // all values.
  template <class Real, class Number>
  static BITLAW_INLINE Real delta(const Real* p, const Inputs<Number>& run) {
    using std::expm1;
    const Number more = min(run.bits_weights - run.bits_post, Number(Kumar::kMany));
    const Real delta = -(Kumar::delta_without_bracket(p, run) * expm1(-(p[Kumar::kCW] * more)));
    return select(more > Number(0.0), delta, Real(0.0));
  }
};

}  // namespace bitlaw
