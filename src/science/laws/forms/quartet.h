// Scaling law of Quartet (Castro, Panferov et al. 2025, arXiv 2505.14669), in nats per token:
// forward precision reduces the effective parameters, backward precision the effective data, and
// both terms share an outer exponent, as in the law of Busbridge et al. (2025).
//
//   L = (A / (N eff_N)^alpha + B / (D eff_D)^beta)^gamma + E
//
// There is one eff_N per class of the forward pass and one eff_D per class of the backward pass;
// both are 1 in BF16. The authors fit BF16 runs first, then eff_N and eff_D with those constants
// fixed, and print log A, log B and log E.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

constexpr Parameter inner_term(const char* name, const char* meaning) {
  return positive(name, meaning, {1e-9, 1e30}, {10, 1e8});
}
constexpr Parameter inner_exponent(const char* name, const char* meaning, Quantity of) {
  return positive(name, meaning, {1e-3, 8}, {0.1, 2}).identified_by(of, 2);
}

struct Quartet {
  static constexpr const char* kName = "quartet";
  static constexpr const char* kTitle =
      "Effective parameters and effective data under an outer exponent";
  static constexpr const char* kSource = "Castro et al. 2025 (Quartet), arXiv 2505.14669";
  static constexpr const char* kFormula =
      "L = (A/(N eff_N[class])^alpha + B/(D eff_D[class])^beta)^gamma + E";
  static constexpr const char* kNotes =
      "The authors fit BF16 runs first, then eff_N and eff_D with those constants fixed, and print "
      "log A, log B and log E.";
  static constexpr bool kUsesBits = true;

  enum { kA, kAlpha, kB, kBeta, kE, kGamma, kTrainingParameters };
  static constexpr std::array kParameters{
      inner_term("A", "inner term at N = 1 from finite size"),
      inner_exponent("alpha", "inner exponent of size", Quantity::kSizes),
      inner_term("B", "inner term at D = 1 from finite data"),
      inner_exponent("beta", "inner exponent of data", Quantity::kTokens),
      irreducible_loss("E"),
      positive("gamma", "outer exponent", {1e-2, 10}, {0.1, 1})};
  static constexpr std::array kClassParameters{
      share_of_class("eff_N", "effective share of the parameters, forward pass",
                     ClassAxis::kForward),
      share_of_class("eff_D", "effective share of the data, backward pass", ClassAxis::kBackward)};

  // A, B and E are exp of 11.75543771, 13.0515853 and 0.2933008.
  static constexpr auto kPublished = values_of(
      kParameters, is(kA, 127444.68547075514), is(kAlpha, 0.57852012), is(kB, 465834.3137536194),
      is(kBeta, 0.5388769), is(kE, 1.3408460562711848), is(kGamma, 0.27641569));
  static constexpr std::array kPublishedClasses{ClassValue{"eff_N", "MXFP4", 0.64516309},
                                                ClassValue{"eff_D", "MXFP4", 0.89346852}};
  static constexpr std::array kConstants{ConstantSet{
      .name = "published",
      .source = "Castro et al. 2025, arXiv 2505.14669, to the digits of the notebook "
                "published with it: MXFP4, forward with clipping that minimizes the squared "
                "error, backward with stochastic rounding",
      .values = kPublished,
      .classes = kPublishedClasses}};

  // Nats per token. of_class: eff_N and eff_D of the row's classes.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Real* of_class, const Inputs<Number>& run) {
    using std::log;
    const Real size = p[kA] * falling(p[kAlpha], log_effective_params(log(of_class[0]), run));
    const Real data = p[kB] * falling(p[kBeta], log(of_class[1]) + run.log_tokens);
    return p[kE] + falling(-p[kGamma], log(size + data));
  }
};

}  // namespace bitlaw
