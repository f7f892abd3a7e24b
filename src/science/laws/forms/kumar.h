// Scaling law for precision of Kumar et al. (2024, arXiv 2411.04330), unified form with the offsets
// of its appendix K, in nats per token:
//
//   L         = E + A / N_eff^alpha + B / D^beta + delta
//   N_eff     = N f_w(P_w) f_a(P_a) f_kv(P_kv),     f_x(P) = 1 - exp(-P / gamma_x + n_x)
//   delta     = C_T exp(-P_post / gamma_post + b) D^gamma_D / N_eff^gamma_N
//               * prod_x [1 - exp(-C_x (P_x - P_post))]
//
// delta is added only if weights are quantized after training (P_post below 16), and is zero if
// P_post is not below the training precision. The offsets n_x and b matter: without them neither
// the paper's figures nor its "7-8 bits" can be reproduced. P = 16 means BF16.
#pragma once

#include <array>
#include <cmath>

#include "laws/common_parameters.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

// C_x: how fast delta falls as the training precision approaches P_post.
constexpr Parameter robustness(const char* name, const char* meaning, Quantity of) {
  return positive(name, meaning, {1e-3, 1e4}, {0.05, 2}).identified_by(of, 1).after_training();
}

struct Kumar {
  static constexpr const char* kName = "kumar";
  static constexpr const char* kTitle =
      "Effective parameters with offsets, and a post-training term";
  static constexpr const char* kSource =
      "Kumar et al. 2024, arXiv 2411.04330, eq. 9 with the offsets of appendix K";
  static constexpr const char* kFormula =
      "L = E + A/N_eff^alpha + B/D^beta + delta; N_eff = N prod_x (1 - exp(-P_x/gamma_x + n_x)); "
      "delta = C_T exp(-P_post/gamma_post + b) D^gamma_D / N_eff^gamma_N "
      "prod_x (1 - exp(-C_x (P_x - P_post)))";
  static constexpr bool kUsesBits = true;

  enum { kE, kA, kB, kAlpha, kBeta, kGammaW, kNW, kGammaA, kNA, kGammaKv, kNKv, kCT };
  enum { kTrainingParameters = kCT, kGammaD, kGammaN, kGammaPost, kOffsetPost, kCW, kCA, kCKv };
  static constexpr std::array kParameters{
      irreducible_loss("E"),
      size_term("A", "loss at N_eff = 1 from finite size, nats"),
      data_term("B", "loss at D = 1 from finite data, nats"),
      exponent_of_size("alpha"),
      exponent_of_data("beta"),
      bits_per_factor_e("gamma_w", "bits per factor of e, weights", Quantity::kWeightBits),
      bits_offset("n_w", "offset, weights (fitted as gamma_w n_w, in bits)", Quantity::kWeightBits),
      bits_per_factor_e("gamma_a", "bits per factor of e, activations", Quantity::kActivationBits),
      bits_offset("n_a", "offset, activations", Quantity::kActivationBits),
      bits_per_factor_e("gamma_kv", "bits per factor of e, keys and values", Quantity::kKvBits),
      bits_offset("n_kv", "offset, keys and values", Quantity::kKvBits),
      size_of_delta("C_T", "scale of the post-training loss"),
      slope_of_delta("gamma_D", "growth of the post-training loss with data", Quantity::kTokens),
      slope_of_delta("gamma_N", "decrease of the post-training loss with size", Quantity::kSizes),
      positive("gamma_post", "bits per factor of e after training", {0.05, 50}, {0.3, 2})
          .identified_by(Quantity::kPostBits, 2)
          .after_training(),
      of_either_sign("b", "offset after training", {-30, 30}, {0, 2})
          .not_identifiable("only C_T exp(b) can be identified from data")
          .after_training(),
      robustness("C_w", "robustness from trained weight bits, per bit", Quantity::kWeightBits),
      robustness("C_a", "robustness from trained activation bits, per bit",
                 Quantity::kActivationBits),
      robustness("C_kv", "robustness from trained key and value bits, per bit", Quantity::kKvBits)};

  // C_w, C_a and C_kv were not published. 1000 per bit makes each bracket a step: 1 if training
  // used more bits than P_post, 0 otherwise.
  static constexpr double kStep = 1000;
  static constexpr auto kPublished =
      values_of(kParameters, is(kE, 2.7648), is(kA, 4299), is(kB, 18060), is(kAlpha, 0.4965),
                is(kBeta, 0.4965), is(kGammaW, 2.6745), is(kNW, 0.3037), is(kGammaA, 2.2102),
                is(kNA, 1.4072), is(kGammaKv, 0.9578), is(kNKv, 2.4185), is(kCT, 0.0598),
                is(kGammaD, 0.5068), is(kGammaN, 0.3439), is(kGammaPost, 0.5907),
                is(kOffsetPost, 1.1277), is(kCW, kStep), is(kCA, kStep), is(kCKv, kStep));
  // gamma and n averaged over the three parts: the paper's tied form N f(P)^3.
  static constexpr double kGammaTied = (2.6745 + 2.2102 + 0.9578) / 3;
  static constexpr double kNTied = (0.3037 + 1.4072 + 2.4185) / 3;
  static constexpr auto kPublishedTied =
      with(kPublished, is(kGammaW, kGammaTied), is(kNW, kNTied), is(kGammaA, kGammaTied),
           is(kNA, kNTied), is(kGammaKv, kGammaTied), is(kNKv, kNTied));
  static constexpr auto kPublishedFloat = with(kPublished, is(kGammaW, 2.8111), is(kNW, 0.1240));
  static constexpr std::array kConstants{
      ConstantSet{.name = "published",
                  .source = "Kumar et al. 2024, arXiv 2411.04330, appendix K; C_w, C_a, C_kv "
                            "unpublished, taken as a step",
                  .values = kPublished},
      ConstantSet{.name = "tied",
                  .source = "the same with gamma and n averaged over weights, activations and KV",
                  .values = kPublishedTied},
      ConstantSet{.name = "float-weights",
                  .source = "the same with floating-point weights: gamma_w 2.8111, n_w 0.1240",
                  .values = kPublishedFloat}};

  // log(N_eff / N) = sum_x log f_x(P_x).
  template <class Real, class Number>
  static BITLAW_INLINE Real log_share(const Real* p, const Inputs<Number>& run) {
    return log_capacity(run.bits_weights, p[kGammaW], p[kNW]) +
           log_capacity(run.bits_activations, p[kGammaA], p[kNA]) +
           log_capacity(run.bits_kv, p[kGammaKv], p[kNKv]);
  }

  // Nats per token at the end of training, before any post-training quantization. p: at least the
  // first kTrainingParameters values.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    return p[kE] + p[kA] * falling(p[kAlpha], log_effective_params(log_share(p, run), run)) +
           p[kB] * falling(p[kBeta], run.log_tokens);
  }

  static constexpr double kMany = 64;  // bits that stand for unlimited ones in a bracket

  // C_T exp(b - P_post / gamma_post) D^gamma_D / N_eff^gamma_N
  template <class Real, class Number>
  static BITLAW_INLINE Real delta_without_bracket(const Real* p, const Inputs<Number>& run) {
    using std::exp;
    return p[kCT] *
           exp(p[kOffsetPost] - run.bits_post / p[kGammaPost] + p[kGammaD] * run.log_tokens -
               p[kGammaN] * log_effective_params(log_share(p, run), run));
  }

  // Loss difference in nats from quantizing the weights to run.bits_post after training; zero if
  // the row has none, or if training did not use more bits than that. p: all values.
  template <class Real, class Number>
  static BITLAW_INLINE Real delta(const Real* p, const Inputs<Number>& run) {
    using std::expm1;
    const Number more_w = min(run.bits_weights - run.bits_post, Number(kMany));
    const Number more_a = min(run.bits_activations - run.bits_post, Number(kMany));
    const Number more_kv = min(run.bits_kv - run.bits_post, Number(kMany));
    const Real bracket =
        -(expm1(-(p[kCW] * more_w)) * expm1(-(p[kCA] * more_a)) * expm1(-(p[kCKv] * more_kv)));
    const Real delta = delta_without_bracket(p, run) * bracket;
    return select(min(more_w, min(more_a, more_kv)) > Number(0.0), delta, Real(0.0));
  }
};

}  // namespace bitlaw
