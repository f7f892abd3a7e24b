// Scaling law for precision of Kumar et al. (2024, arXiv 2411.04330), unified form with the offsets
// of its appendix K, in nats per token:
//
//   L         = E + A / N_eff^alpha + B / D^beta + delta
//   N_eff     = N f_w(P_w) f_a(P_a) f_kv(P_kv),     f_x(P) = 1 - exp(-P / gamma_x + n_x)
//   delta     = C_T exp(-P_post / gamma_post + b) D^gamma_D / N_eff^gamma_N
//               * prod_x [1 - exp(-C_x (P_x - P_post))]
//
// delta is there only when weights are quantized after training (P_post below 16), and is zero
// where P_post is not below the precision of training. The offsets n_x and b matter: without them
// neither the paper's figures nor its "7-8 bits" follow. P = 16 stands for BF16.
//
// An f_x at or below zero means that no parameter does useful work: training diverges (f_a(3) is
// -0.05). So that a fit can walk through such values, log f continues as a straight line below
// f = 1/1000; the loss there is finite but absurd, as it should be.
#pragma once

#include <array>
#include <cmath>

#include "laws/dual.h"
#include "laws/inputs.h"
#include "laws/parameter.h"

namespace bitlaw {

// f(P) = 1 - exp(-P / gamma + n), the share of the parameters that still counts at P bits.
template <class Real, class Number>
BITLAW_INLINE Real capacity(const Number& bits, const Real& gamma, const Real& n) {
  using std::expm1;
  return -expm1(n - bits * (1.0 / gamma));  // the inverse once for all rows
}

// log f, continued by its tangent below f = 1/1000; 0 at unlimited bits.
template <class Real, class Number>
BITLAW_INLINE Real log_capacity(const Number& bits, const Real& gamma, const Real& n) {
  using std::log;
  constexpr double kSmallest = 1e-3;
  const Real f = capacity(bits, gamma, n);
  const auto regular = value_of(f) >= kSmallest;
  return select(regular, log(select(regular, f, Real(kSmallest))),
                std::log(kSmallest) + (f - kSmallest) * (1 / kSmallest));
}

struct Kumar {
  static constexpr const char* kName = "kumar";
  static constexpr const char* kTitle =
      "Effective parameters, with offsets, and post-training term";
  static constexpr const char* kSource =
      "Kumar et al. 2024, arXiv 2411.04330, eq. 9 with the offsets of appendix K";
  static constexpr const char* kFormula =
      "L = E + A/N_eff^alpha + B/D^beta + delta; N_eff = N prod_x (1 - exp(-P_x/gamma_x + n_x)); "
      "delta = C_T exp(-P_post/gamma_post + b) D^gamma_D / N_eff^gamma_N "
      "prod_x (1 - exp(-C_x (P_x - P_post)))";
  static constexpr bool kUsesBits = true;

  enum {
    kE,
    kA,
    kB,
    kAlpha,
    kBeta,
    kGammaW,
    kNW,
    kGammaA,
    kNA,
    kGammaKv,
    kNKv,
    kTrainingParameters,
    kCT = kTrainingParameters,
    kGammaD,
    kGammaN,
    kGammaPost,
    kOffsetPost,
    kCW,
    kCA,
    kCKv
  };
  static constexpr std::array kParameters{
      Parameter{"E", "loss of an infinite model on infinite data, nats", Scale::kLog, 1e-9, 20, 0.5,
                4, Stage::kTraining, true},
      Parameter{"A", "loss at N_eff = 1 from finite size, nats", Scale::kLog, 1e-9, 1e15, 1, 1e5,
                Stage::kTraining, true},
      Parameter{"B", "loss at D = 1 from finite data, nats", Scale::kLog, 1e-9, 1e15, 1, 1e6,
                Stage::kTraining, true},
      Parameter{"alpha",
                "exponent of size",
                Scale::kLog,
                1e-3,
                4,
                0.05,
                1,
                Stage::kTraining,
                false,
                {Quantity::kSizes, 2}},
      Parameter{"beta",
                "exponent of data",
                Scale::kLog,
                1e-3,
                4,
                0.05,
                1,
                Stage::kTraining,
                false,
                {Quantity::kTokens, 2}},
      Parameter{"gamma_w",
                "bits per factor e, weights",
                Scale::kLog,
                0.05,
                50,
                0.5,
                4,
                Stage::kTraining,
                false,
                {Quantity::kWeightBits, 1}},
      Parameter{"n_w",
                "offset, weights (walks as gamma_w n_w, bits)",
                Scale::kTimesLast,
                -30,
                12,
                -1,
                2.8,
                Stage::kTraining,
                false,
                {Quantity::kWeightBits, 2}},
      Parameter{"gamma_a",
                "bits per factor e, activations",
                Scale::kLog,
                0.05,
                50,
                0.5,
                4,
                Stage::kTraining,
                false,
                {Quantity::kActivationBits, 1}},
      Parameter{"n_a",
                "offset, activations",
                Scale::kTimesLast,
                -30,
                12,
                -1,
                2.8,
                Stage::kTraining,
                false,
                {Quantity::kActivationBits, 2}},
      Parameter{"gamma_kv",
                "bits per factor e, keys and values",
                Scale::kLog,
                0.05,
                50,
                0.5,
                4,
                Stage::kTraining,
                false,
                {Quantity::kKvBits, 1}},
      Parameter{"n_kv",
                "offset, keys and values",
                Scale::kTimesLast,
                -30,
                12,
                -1,
                2.8,
                Stage::kTraining,
                false,
                {Quantity::kKvBits, 2}},
      Parameter{"C_T", "size of the post-training loss", Scale::kLog, 1e-15, 1e15, 1e-4, 10,
                Stage::kPost, true},
      Parameter{"gamma_D",
                "growth of the post-training loss with data",
                Scale::kLinear,
                -3,
                4,
                0,
                1,
                Stage::kPost,
                false,
                {Quantity::kTokens, 2}},
      Parameter{"gamma_N",
                "its fall with size",
                Scale::kLinear,
                -3,
                4,
                0,
                1,
                Stage::kPost,
                false,
                {Quantity::kSizes, 2}},
      Parameter{"gamma_post",
                "bits per factor e after training",
                Scale::kLog,
                0.05,
                50,
                0.3,
                2,
                Stage::kPost,
                false,
                {Quantity::kPostBits, 2}},
      Parameter{"b",
                "offset after training",
                Scale::kLinear,
                -30,
                30,
                0,
                2,
                Stage::kPost,
                false,
                {},
                "only C_T exp(b) can be told from data"},
      Parameter{"C_w",
                "robustness from trained weight bits, per bit",
                Scale::kLog,
                1e-3,
                1e4,
                0.05,
                2,
                Stage::kPost,
                false,
                {Quantity::kWeightBits, 1}},
      Parameter{"C_a",
                "robustness from trained activation bits, per bit",
                Scale::kLog,
                1e-3,
                1e4,
                0.05,
                2,
                Stage::kPost,
                false,
                {Quantity::kActivationBits, 1}},
      Parameter{"C_kv",
                "robustness from trained key and value bits, per bit",
                Scale::kLog,
                1e-3,
                1e4,
                0.05,
                2,
                Stage::kPost,
                false,
                {Quantity::kKvBits, 1}},
  };

  // C_w, C_a and C_kv were not published. 1000 per bit makes each bracket a step: 1 where training
  // had more bits than P_post, 0 where it had not.
  static constexpr double kStep = 1000;
  static constexpr std::array kPublished{2.7648, 4299.0, 18060.0, 0.4965, 0.4965, 2.6745, 0.3037,
                                         2.2102, 1.4072, 0.9578,  2.4185, 0.0598, 0.5068, 0.3439,
                                         0.5907, 1.1277, kStep,   kStep,  kStep};
  // gamma and n averaged over the three parts: the paper's tied form N f(P)^3.
  static constexpr double kGammaTied = (2.6745 + 2.2102 + 0.9578) / 3;
  static constexpr double kNTied = (0.3037 + 1.4072 + 2.4185) / 3;
  static constexpr std::array kPublishedTied{
      2.7648, 4299.0, 18060.0, 0.4965, 0.4965, kGammaTied, kNTied, kGammaTied, kNTied, kGammaTied,
      kNTied, 0.0598, 0.5068,  0.3439, 0.5907, 1.1277,     kStep,  kStep,      kStep};
  static constexpr std::array kPublishedFloat{
      2.7648, 4299.0, 18060.0, 0.4965, 0.4965, 2.8111, 0.1240, 2.2102, 1.4072, 0.9578,
      2.4185, 0.0598, 0.5068,  0.3439, 0.5907, 1.1277, kStep,  kStep,  kStep};
  static constexpr std::array kConstants{
      ConstantSet{
          "published",
          "Kumar et al. 2024, arXiv 2411.04330, appendix K; C_w, C_a, C_kv unpublished, taken as "
          "a step",
          kPublished},
      ConstantSet{"tied", "the same with gamma and n averaged over weights, activations and KV",
                  kPublishedTied},
      ConstantSet{"float-weights",
                  "the same with floating-point weights: gamma_w 2.8111, n_w 0.1240",
                  kPublishedFloat},
  };

  // log(N_eff / N) = sum_x log f_x(P_x).
  template <class Real, class Number>
  static BITLAW_INLINE Real log_share(const Real* p, const Inputs<Number>& run) {
    return log_capacity(run.bits_weights, p[kGammaW], p[kNW]) +
           log_capacity(run.bits_activations, p[kGammaA], p[kNA]) +
           log_capacity(run.bits_kv, p[kGammaKv], p[kNKv]);
  }

  // Nats per token at the end of training, before any quantization afterwards. p: at least the
  // kTrainingParameters first values.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    using std::exp;
    return p[kE] + p[kA] * exp(-(p[kAlpha] * (log_share(p, run) + run.log_params))) +
           p[kB] * exp(-(p[kBeta] * run.log_tokens));
  }

  // Loss difference in nats from quantizing the weights to run.bits_post after training; zero
  // where the row has none, or where training had no more bits than that. p: all values.
  template <class Real, class Number>
  static BITLAW_INLINE Real delta(const Real* p, const Inputs<Number>& run) {
    using std::exp;
    using std::expm1;
    constexpr double kMany = 64;  // stands for unlimited bits
    const Number more_w = min(run.bits_weights - run.bits_post, Number(kMany));
    const Number more_a = min(run.bits_activations - run.bits_post, Number(kMany));
    const Number more_kv = min(run.bits_kv - run.bits_post, Number(kMany));
    const Real bracket =
        -(expm1(-(p[kCW] * more_w)) * expm1(-(p[kCA] * more_a)) * expm1(-(p[kCKv] * more_kv)));
    const Real delta =
        p[kCT] * bracket *
        exp(p[kOffsetPost] - run.bits_post / p[kGammaPost] + p[kGammaD] * run.log_tokens -
            p[kGammaN] * (log_share(p, run) + run.log_params));
    return select(min(more_w, min(more_a, more_kv)) > Number(0.0), delta, Real(0.0));
  }
};

}  // namespace bitlaw
