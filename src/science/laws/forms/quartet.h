// Scaling law of Quartet (Castro, Panferov et al. 2025, arXiv 2505.14669), in nats per token: the
// forward pass's precision costs parameters, the backward pass's costs data, and both terms stand
// under one outer exponent, as in the law of Busbridge et al. (2025).
//
//   L = (A / (N eff_N)^alpha + B / (D eff_D)^beta)^gamma + E
//
// One eff_N for each class of the forward pass and one eff_D for each of the backward pass; both
// are 1 in BF16. The authors fit BF16 runs first, then eff_N and eff_D with those constants fixed,
// and print log A, log B and log E.
#pragma once

#include <array>

#include "laws/inputs.h"
#include "laws/parameter.h"
#include "laws/terms.h"

namespace bitlaw {

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
      Parameter{"A", "inner term at N = 1 from finite size", Scale::kLog, 1e-9, 1e30, 10, 1e8},
      Parameter{"alpha", "inner exponent of size", Scale::kLog, 1e-3, 8, 0.1, 2, Stage::kTraining,
                false, Needs{Quantity::kSizes, 2}},
      Parameter{"B", "inner term at D = 1 from finite data", Scale::kLog, 1e-9, 1e30, 10, 1e8},
      Parameter{"beta", "inner exponent of data", Scale::kLog, 1e-3, 8, 0.1, 2, Stage::kTraining,
                false, Needs{Quantity::kTokens, 2}},
      Parameter{"E", "loss of an infinite model on infinite data, nats", Scale::kLog, 1e-9, 20, 0.5,
                4, Stage::kTraining, true},
      Parameter{"gamma", "outer exponent", Scale::kLog, 1e-2, 10, 0.1, 1},
  };
  static constexpr std::array kClassParameters{
      ClassParameter{Parameter{"eff_N", "share of the parameters that counts, forward pass",
                               Scale::kLog, 1e-5, 100, 0.05, 1.2},
                     ClassAxis::kForward, 1},
      ClassParameter{Parameter{"eff_D", "share of the data that counts, backward pass", Scale::kLog,
                               1e-5, 100, 0.05, 1.2},
                     ClassAxis::kBackward, 1}};

  // exp of 11.75543771, 13.0515853 and 0.2933008.
  static constexpr std::array kPublished{127444.68547075514, 0.57852012,         465834.3137536194,
                                         0.5388769,          1.3408460562711848, 0.27641569};
  static constexpr std::array kPublishedClasses{ClassValue{"eff_N", "MXFP4", 0.64516309},
                                                ClassValue{"eff_D", "MXFP4", 0.89346852}};
  static constexpr std::array kConstants{
      ConstantSet{"published",
                  "Castro et al. 2025, arXiv 2505.14669, to the digits of the notebook published "
                  "with it: MXFP4, forward by clipping chosen for least squared error, backward by "
                  "stochastic rounding",
                  kPublished, kPublishedClasses}};

  // Nats per token. of_class: eff_N and eff_D of the row's classes.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Real* of_class, const Inputs<Number>& run) {
    using std::log;
    const Real size = p[kA] * falling(p[kAlpha], log(of_class[0]) + run.log_params);
    const Real data = p[kB] * falling(p[kBeta], log(of_class[1]) + run.log_tokens);
    return p[kE] + falling(-p[kGamma], log(size + data));
  }
};

}  // namespace bitlaw
