// Compression scaling law of Frantar et al. (2025, arXiv 2502.16440), in nats per token: any
// compression C multiplies the parameters by a constant eff(C).
//
//   L(N, D, C) = a / (N eff(C))^b + c / D^d + e
//
// This is the form of QuEST's law, found independently. The multipliers are published; the
// constants a to e were not found in print.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct FrantarEff {
  static constexpr const char* kName = "frantar-eff";
  static constexpr const char* kTitle = "Effective parameter multipliers of compression";
  static constexpr const char* kSource = "Frantar et al. 2025, arXiv 2502.16440";
  static constexpr const char* kFormula = "L = a/(N eff[class])^b + c/D^d + e";
  static constexpr const char* kNotes = "Has the form of QuEST's law.";
  static constexpr bool kUsesBits = true;

  enum { kA, kB, kC, kD, kE, kTrainingParameters };
  static constexpr std::array kParameters{
      size_term("a", "loss at N eff = 1 from finite size, nats"), exponent_of_size("b"),
      data_term("c", "loss at D = 1 from finite data, nats"), exponent_of_data("d"),
      irreducible_loss("e")};
  static constexpr std::array kClassParameters{share_of_class(
      "eff", "effective share of the parameters in a precision class", ClassAxis::kForward)};

  static constexpr auto kStart = values_of(kParameters, is(kA, 406.4), is(kB, 0.33917),
                                           is(kC, 410.7), is(kD, 0.28491), is(kE, 1.69337));
  static constexpr std::array kPublishedClasses{ClassValue{"eff", "W4A16", 0.923},
                                                ClassValue{"eff", "W4A4", 0.747},
                                                ClassValue{"eff", "W1A1", 0.067}};
  static constexpr std::array kConstants{
      ConstantSet{.name = "start",
                  .source = "starting point: eff as published (arXiv 2502.16440); a to e of "
                            "Hoffmann et al. 2022, because none were found for this law",
                  .values = kStart,
                  .classes = kPublishedClasses}};

  // Nats per token. of_class: eff of the row's class.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Real* of_class, const Inputs<Number>& run) {
    using std::log;
    return p[kE] + p[kA] * falling(p[kB], log_effective_params(log(of_class[0]), run)) +
           p[kC] * falling(p[kD], run.log_tokens);
  }
};

}  // namespace bitlaw
