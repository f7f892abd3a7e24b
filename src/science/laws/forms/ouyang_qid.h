// Quantization-induced degradation of Ouyang et al. (2024, arXiv 2411.17691), in nats per token:
// what quantizing the weights of a trained model to P bits costs.
//
//   delta(N, D, P) = k D^beta / (N^alpha P^gamma)
//
// The authors' law has no loss of training; Chinchilla's stands in for it, and beta, alpha, gamma
// are here beta_D, alpha_N, gamma_P. There is no delta where training had no more bits than P.
#pragma once

#include <array>

#include "laws/forms/chinchilla.h"
#include "laws/inputs.h"
#include "laws/parameter.h"
#include "laws/terms.h"

namespace bitlaw {

struct OuyangQid {
  static constexpr const char* kName = "ouyang-qid";
  static constexpr const char* kTitle = "Degradation by quantization after training, a power law";
  static constexpr const char* kSource =
      "Ouyang et al. 2024, arXiv 2411.17691, unified law; training as in arXiv 2203.15556";
  static constexpr const char* kFormula =
      "L = E + A/N^alpha + B/D^beta + delta; delta = k D^beta_D / (N^alpha_N P_post^gamma_P)";
  static constexpr const char* kNotes =
      "The authors' law is delta alone, with exponents beta, alpha and gamma; the loss of training "
      "is Chinchilla's. There is no delta where training had no more bits than P_post.";
  static constexpr bool kUsesBits = true;

  enum {
    kTrainingParameters = Chinchilla::kTrainingParameters,
    kK = kTrainingParameters,
    kBetaD,
    kAlphaN,
    kGammaP
  };
  static constexpr std::array kParameters{
      Chinchilla::kParameters[0],
      Chinchilla::kParameters[1],
      Chinchilla::kParameters[2],
      Chinchilla::kParameters[3],
      Chinchilla::kParameters[4],
      Parameter{"k", "degradation at N = D = P = 1, nats", Scale::kLog, 1e-15, 1e15, 1e-4, 10,
                Stage::kPost, true},
      Parameter{"beta_D", "its growth with data", Scale::kLinear, -3, 4, 0, 1, Stage::kPost, false,
                Needs{Quantity::kTokens, 2}},
      Parameter{"alpha_N", "its fall with size", Scale::kLinear, -3, 4, 0, 1, Stage::kPost, false,
                Needs{Quantity::kSizes, 2}},
      Parameter{"gamma_P", "its fall with bits", Scale::kLog, 1e-2, 60, 1, 10, Stage::kPost, false,
                Needs{Quantity::kPostBits, 2}},
  };

  static constexpr std::array kPublished{1.69337, 406.4,  410.7,  0.33917, 0.28491,
                                         0.017,   0.5251, 0.2261, 5.4967};
  static constexpr std::array kConstants{
      ConstantSet{"published",
                  "Ouyang et al. 2024, arXiv 2411.17691; the loss of training is that of Hoffmann "
                  "et al. 2022",
                  kPublished}};

  // Nats per token at the end of training.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    return Chinchilla::loss(p, run);
  }

  // Loss difference in nats.
  template <class Real, class Number>
  static BITLAW_INLINE Real delta(const Real* p, const Inputs<Number>& run) {
    using std::exp;
    using std::log;
    const Real value = p[kK] * exp(p[kBetaD] * run.log_tokens - p[kAlphaN] * run.log_params -
                                   p[kGammaP] * log(run.bits_post));
    return select(run.bits_weights > run.bits_post, value, Real(Number(0.0)));
  }
};

}  // namespace bitlaw
