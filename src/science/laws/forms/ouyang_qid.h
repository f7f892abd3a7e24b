// Quantization-induced degradation of Ouyang et al. (2024, arXiv 2411.17691), in nats per token:
// the loss added by quantizing the weights of a trained model to P bits.
//
//   delta(N, D, P) = k D^beta / (N^alpha P^gamma)
//
// The authors' law has no training loss; Chinchilla's is used. Their beta, alpha and gamma are
// beta_D, alpha_N and gamma_P here. delta is zero unless training used more bits than P.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/chinchilla.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct OuyangQid {
  static constexpr const char* kName = "ouyang-qid";
  static constexpr const char* kTitle = "Degradation by post-training quantization, a power law";
  static constexpr const char* kSource =
      "Ouyang et al. 2024, arXiv 2411.17691, unified law; training as in arXiv 2203.15556";
  static constexpr const char* kFormula =
      "L = E + A/N^alpha + B/D^beta + delta; delta = k D^beta_D / (N^alpha_N P_post^gamma_P)";
  static constexpr const char* kNotes =
      "The authors' law is delta alone, with exponents beta, alpha and gamma; the training loss is "
      "Chinchilla's. delta is zero unless training used more bits than P_post.";
  static constexpr bool kUsesBits = true;

  enum { kTrainingParameters = Chinchilla::kTrainingParameters };
  enum { kK = kTrainingParameters, kBetaD, kAlphaN, kGammaP };
  static constexpr std::array kParameters = joined(
      Chinchilla::kParameters,
      std::array{
          size_of_delta("k", "degradation at N = D = P = 1, nats"),
          slope_of_delta("beta_D", "growth of the degradation with data", Quantity::kTokens),
          slope_of_delta("alpha_N", "decrease of the degradation with size", Quantity::kSizes),
          positive("gamma_P", "decrease of the degradation with bits", {1e-2, 60}, {1, 10})
              .identified_by(Quantity::kPostBits, 2)
              .after_training()});

  static constexpr auto kPublished =
      values_of(kParameters, Chinchilla::kHoffmann, is(kK, 0.017), is(kBetaD, 0.5251),
                is(kAlphaN, 0.2261), is(kGammaP, 5.4967));
  static constexpr std::array kConstants{
      ConstantSet{.name = "published",
                  .source = "Ouyang et al. 2024, arXiv 2411.17691; the training loss is that of "
                            "Hoffmann et al. 2022",
                  .values = kPublished}};

  // Nats per token at the end of training.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    return Chinchilla::loss(p, run);
  }

  // log(N_eff / N)
  template <class Real, class Number>
  static BITLAW_INLINE Real log_share(const Real* p, const Inputs<Number>& run) {
    return Chinchilla::log_share(p, run);
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
