// Scaling law for quantization-aware training of Chen et al. (2025, arXiv 2505.14302), in nats per
// token: the quantization error falls with size, grows with data, and grows with the number G of
// entries that share a scale.
//
//   L       = E + A / N^alpha + B / D^beta + delta_p
//   delta_p = k D^gamma_D (log2 G)^gamma_G / N^gamma_N
//
// Every precision p has its own k, gamma_N, gamma_D and gamma_G, as the authors fit them. If a
// table does not give G, the factor of G is absorbed into k. additive-class is this law with
// exponents shared by all precisions.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/chinchilla.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

constexpr ClassParameter exponent_of_class(const char* name, const char* meaning, Range range,
                                           Range starts, Quantity of) {
  return {.parameter = of_either_sign(name, meaning, range, starts).identified_by(of, 2),
          .reference = 0};
}

struct ChenQat {
  static constexpr const char* kName = "chen-qat";
  static constexpr const char* kTitle = "Error of quantization-aware training, with group size";
  static constexpr const char* kSource = "Chen et al. 2025, arXiv 2505.14302";
  static constexpr const char* kFormula =
      "L = E + A/N^alpha + B/D^beta + k[class] D^gamma_D[class] (log2 G)^gamma_G[class] / "
      "N^gamma_N[class]";
  static constexpr const char* kNotes =
      "Every precision class has its own k and exponents. G is the number of entries that share a "
      "scale; if a table does not give it, the factor of G is absorbed into k.";
  static constexpr bool kUsesBits = true;

  static constexpr auto kTrainingParameters = Chinchilla::kTrainingParameters;
  static constexpr auto kParameters = Chinchilla::kParameters;
  enum { kK, kGammaN, kGammaD, kGammaG };
  static constexpr std::array kClassParameters{
      ClassParameter{
          .parameter = positive("k", "error of a precision class at N = D = 1 and G = 2, nats",
                                {1e-12, 1e9}, {1e-2, 10})
                           .solved_for(),
          .reference = 0},
      exponent_of_class("gamma_N", "decrease of the error with size", {-2, 4}, {0, 0.6},
                        Quantity::kSizes),
      exponent_of_class("gamma_D", "growth of the error with data", {-2, 4}, {0, 0.6},
                        Quantity::kTokens),
      exponent_of_class("gamma_G", "growth of the error with log2 of the group size", {-5, 5},
                        {0, 1.2}, Quantity::kGroups)};

  static constexpr auto kPublished = values_of(
      kParameters, is(Chinchilla::kE, 1.9279), is(Chinchilla::kA, 237.7042),
      is(Chinchilla::kB, 596.2490), is(Chinchilla::kAlpha, 0.3022), is(Chinchilla::kBeta, 0.3022));
  static constexpr std::array kPublishedClasses{
      ClassValue{"k", "W4A4", 0.1582},        ClassValue{"gamma_N", "W4A4", 0.2186},
      ClassValue{"gamma_D", "W4A4", 0.0745},  ClassValue{"gamma_G", "W4A4", 0.7779},
      ClassValue{"k", "W4A16", 0.2522},       ClassValue{"gamma_N", "W4A16", 0.3589},
      ClassValue{"gamma_D", "W4A16", 0.1610}, ClassValue{"gamma_G", "W4A16", 0.3533},
      ClassValue{"k", "W16A4", 0.1004},       ClassValue{"gamma_N", "W16A4", 0.1816},
      ClassValue{"gamma_D", "W16A4", 0.0331}, ClassValue{"gamma_G", "W16A4", 0.9812},
  };
  static constexpr std::array kConstants{ConstantSet{.name = "published",
                                                     .source = "Chen et al. 2025, arXiv 2505.14302",
                                                     .values = kPublished,
                                                     .classes = kPublishedClasses}};

  // Nats per token. of_class: k, gamma_N, gamma_D, gamma_G of the row's class.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Real* of_class, const Inputs<Number>& run) {
    using std::exp;
    using std::log;
    // A group of one entry has no error: log2 1 = 0 is replaced by 1e-9.
    const Number log_log_group =
        log(max(or_else(run.log_group * (1 / kLog2), Number(1.0)), Number(1e-9)));
    const Real delta =
        of_class[kK] * exp(of_class[kGammaD] * run.log_tokens + of_class[kGammaG] * log_log_group -
                           of_class[kGammaN] * run.log_params);
    return Chinchilla::loss(p, run) + delta;
  }
};

}  // namespace bitlaw
