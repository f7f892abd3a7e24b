// Our additive form with classes, in nats per token: Chinchilla's loss, and an error of
// quantization that grows with data and falls with size, with one factor for each precision class.
//
//   L = E + A / N^alpha + B / D^beta + k[class] D^gamma_D / N^gamma_N
//
// Chen's law with exponents shared by all classes and without the group. Nothing is published for
// it.
#pragma once

#include <array>

#include "laws/forms/chinchilla.h"
#include "laws/inputs.h"
#include "laws/parameter.h"
#include "laws/terms.h"

namespace bitlaw {

struct AdditiveClass {
  static constexpr const char* kName = "additive-class";
  static constexpr const char* kTitle = "Additive error, one factor for each precision class";
  static constexpr const char* kSource = "ours; in the spirit of arXiv 2505.14302";
  static constexpr const char* kFormula =
      "L = E + A/N^alpha + B/D^beta + k[class] D^gamma_D/N^gamma_N";
  static constexpr bool kUsesBits = true;

  enum { kGammaD = Chinchilla::kTrainingParameters, kGammaN, kTrainingParameters };
  static constexpr std::array kParameters{
      Chinchilla::kParameters[0],
      Chinchilla::kParameters[1],
      Chinchilla::kParameters[2],
      Chinchilla::kParameters[3],
      Chinchilla::kParameters[4],
      Parameter{"gamma_D", "growth of the error with data", Scale::kLinear, -3, 4, 0, 0.6,
                Stage::kTraining, false, Needs{Quantity::kTokens, 2, true}},
      Parameter{"gamma_N", "its fall with size", Scale::kLinear, -3, 4, 0, 0.6, Stage::kTraining,
                false, Needs{Quantity::kSizes, 2, true}},
  };
  static constexpr std::array kClassParameters{
      ClassParameter{Parameter{"k", "error of a precision class at N = D = 1, nats", Scale::kLog,
                               1e-12, 1e12, 1e-3, 10, Stage::kTraining, true},
                     ClassAxis::kForward, 0}};

  static constexpr std::array kStart{1.69337, 406.4, 410.7, 0.33917, 0.28491, 0.2, 0.2};
  static constexpr std::array kConstants{
      ConstantSet{"start",
                  "a starting point, nothing is published: training as in Hoffmann et al. 2022, "
                  "round numbers for the rest",
                  kStart}};

  // Nats per token. of_class: k of the row's class.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Real* of_class, const Inputs<Number>& run) {
    using std::exp;
    return Chinchilla::loss(p, run) +
           of_class[0] * exp(p[kGammaD] * run.log_tokens - p[kGammaN] * run.log_params);
  }
};

}  // namespace bitlaw
