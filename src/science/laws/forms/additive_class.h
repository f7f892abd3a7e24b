// Our additive form with classes, in nats per token: Chinchilla's loss plus a quantization error
// that grows with data and falls with size, with one factor per precision class.
//
//   L = E + A / N^alpha + B / D^beta + k[class] D^gamma_D / N^gamma_N
//
// This is Chen's law with exponents shared by all classes and without the group size. No constants
// are published for it.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/chinchilla.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct AdditiveClass {
  static constexpr const char* kName = "additive-class";
  static constexpr const char* kTitle = "Additive error, one factor per precision class";
  static constexpr const char* kSource = "ours; in the spirit of arXiv 2505.14302";
  static constexpr const char* kFormula =
      "L = E + A/N^alpha + B/D^beta + k[class] D^gamma_D/N^gamma_N";
  static constexpr bool kUsesBits = true;

  enum { kGammaD = Chinchilla::kTrainingParameters, kGammaN, kTrainingParameters };
  static constexpr std::array kParameters = joined(
      Chinchilla::kParameters,
      std::array{slope_of_error("gamma_D", "growth of the error with data", Quantity::kTokens),
                 slope_of_error("gamma_N", "decrease of the error with size", Quantity::kSizes)});
  static constexpr std::array kClassParameters{ClassParameter{
      .parameter =
          positive("k", "error of a precision class at N = D = 1, nats", {1e-12, 1e12}, {1e-3, 10})
              .solved_for(),
      .reference = 0}};

  static constexpr auto kStart =
      values_of(kParameters, Chinchilla::kHoffmann, is(kGammaD, 0.2), is(kGammaN, 0.2));
  static constexpr std::array kConstants{
      ConstantSet{.name = "start",
                  .source = "starting point, nothing published: training constants of Hoffmann "
                            "et al. 2022, round numbers for the rest",
                  .values = kStart}};

  // Nats per token. of_class: k of the row's class.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Real* of_class, const Inputs<Number>& run) {
    using std::exp;
    return Chinchilla::loss(p, run) +
           of_class[0] * exp(p[kGammaD] * run.log_tokens - p[kGammaN] * run.log_params);
  }
};

}  // namespace bitlaw
