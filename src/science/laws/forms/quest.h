// Scaling law of QuEST (Panferov et al. 2025, arXiv 2502.05003), in nats per token: a precision
// multiplies the effective parameters by a fixed share.
//
//   L(N, D, P) = A / (N eff(P))^alpha + B / D^beta + E
//
// There is one eff per precision class (bits of weights and activations, quantizer); BF16 has eff =
// 1. No dependence of eff on bits is assumed.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/chinchilla.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct Quest {
  static constexpr const char* kName = "quest";
  static constexpr const char* kTitle = "Effective parameters, one share per precision class";
  static constexpr const char* kSource = "Panferov et al. 2025 (QuEST), arXiv 2502.05003";
  static constexpr const char* kFormula = "L = A/(N eff[class])^alpha + B/D^beta + E";
  static constexpr const char* kNotes =
      "No dependence of eff on bits is assumed; BF16 has eff = 1.";
  static constexpr bool kUsesBits = true;

  enum { kA, kAlpha, kB, kBeta, kE, kTrainingParameters };
  static constexpr std::array kParameters{
      Chinchilla::kParameters[Chinchilla::kA], Chinchilla::kParameters[Chinchilla::kAlpha],
      Chinchilla::kParameters[Chinchilla::kB], Chinchilla::kParameters[Chinchilla::kBeta],
      Chinchilla::kParameters[Chinchilla::kE]};
  static constexpr std::array kClassParameters{share_of_class(
      "eff", "effective share of the parameters in a precision class", ClassAxis::kForward)};

  static constexpr auto kPublished =
      values_of(kParameters, is(kA, 8.134), is(kAlpha, 0.062726522), is(kB, 86.412),
                is(kBeta, 0.241288351), is(kE, 0.00142));
  static constexpr std::array kPublishedClasses{
      ClassValue{"eff", "W1A1", 0.0205047}, ClassValue{"eff", "W2A2", 0.151871},
      ClassValue{"eff", "W3A3", 0.433126},  ClassValue{"eff", "W4A4", 0.691832},
      ClassValue{"eff", "W8A8", 1.016193},  ClassValue{"eff", "FP4", 0.629639},
      ClassValue{"eff", "W1A16", 0.138420}, ClassValue{"eff", "W2A16", 0.413717},
      ClassValue{"eff", "W3A16", 0.653059}, ClassValue{"eff", "W4A16", 0.840434},
  };
  static constexpr std::array kConstants{
      ConstantSet{.name = "published",
                  .source = "Panferov et al. 2025, arXiv 2502.05003, to the digits of the notebook "
                            "published with it",
                  .values = kPublished,
                  .classes = kPublishedClasses}};

  // Nats per token. of_class: eff of the row's class.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Real* of_class, const Inputs<Number>& run) {
    using std::log;
    return p[kE] + p[kA] * falling(p[kAlpha], log_effective_params(log(of_class[0]), run)) +
           p[kB] * falling(p[kBeta], run.log_tokens);
  }
};

}  // namespace bitlaw
