// Scaling law of Gadre et al. (2024, arXiv 2403.08540), eq. 4, in nats per token: loss as a
// function of training compute C and over-training M.
//
//   L(C, M) = E + (a M^eta + b M^-eta) C^-eta,     C = 6 N D,  M = D / N
//
// It is Chinchilla's law with both exponents equal to 2 eta: a (6 N^2)^-eta + b (6 D^2)^-eta. N
// counts all parameters in the authors' tables. It does not model bits.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct Gadre {
  static constexpr const char* kName = "gadre";
  static constexpr const char* kTitle = "Loss as a function of compute and over-training";
  static constexpr const char* kSource = "Gadre et al. 2024, arXiv 2403.08540, eq. 4";
  static constexpr const char* kFormula = "L = E + (a M^eta + b M^-eta) C^-eta; C = 6 N D, M = D/N";
  static constexpr const char* kNotes =
      "Chinchilla's law with both exponents equal to 2 eta. In the authors' tables, N counts all "
      "parameters.";
  static constexpr bool kUsesBits = false;

  enum { kA, kB, kEta, kE, kTrainingParameters };
  static constexpr std::array kParameters{
      size_term("a", "loss at C = M = 1 from finite size, nats"),
      data_term("b", "loss at C = M = 1 from finite data, nats"),
      positive("eta", "exponent of compute and of over-training", {1e-3, 2}, {0.03, 0.5})
          .identified_by(Quantity::kSizes, 2),
      irreducible_loss("E", "loss at infinite compute, nats")};

  static constexpr auto kC4 =
      values_of(kParameters, is(kA, 141.28), is(kB, 189.52), is(kEta, 0.1212), is(kE, 1.5083));
  static constexpr auto kRedPajama =
      values_of(kParameters, is(kA, 212.24), is(kB, 366.69), is(kEta, 0.1364), is(kE, 1.8366));
  static constexpr auto kRefinedWeb =
      values_of(kParameters, is(kA, 157.12), is(kB, 246.21), is(kEta, 0.1272), is(kE, 1.7345));
  static constexpr std::array kConstants{
      ConstantSet{.name = "c4",
                  .source = "Gadre et al. 2024, arXiv 2403.08540, trained on C4 (printed 141, 190, "
                            ".121, 1.51), to the digits of the published code's fit",
                  .values = kC4},
      ConstantSet{.name = "redpajama",
                  .source = "the same, trained on RedPajama (printed 212, 367, .136, 1.84)",
                  .values = kRedPajama},
      ConstantSet{.name = "refinedweb",
                  .source = "the same, trained on RefinedWeb (printed 157, 246, .127, 1.73)",
                  .values = kRefinedWeb}};

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    constexpr double kLog6 = 1.79175946922805500081;
    const Number log_compute = run.log_params + run.log_tokens + kLog6;
    const Number log_multiplier = run.log_tokens - run.log_params;
    return p[kE] + p[kA] * falling(p[kEta], log_compute - log_multiplier) +
           p[kB] * falling(p[kEta], log_compute + log_multiplier);
  }
};

}  // namespace bitlaw
