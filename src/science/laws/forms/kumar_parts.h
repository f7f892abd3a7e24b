// The law of Kumar et al. (2024, arXiv 2411.04330) with a factor for every part that has bits of its
// own: weights, activations, keys, values, embeddings and the output head, in nats per token:
//
//   L     = E + A / N_eff^alpha + B / D^beta
//   N_eff = N prod_x f_x(P_x),     f_x(P) = 1 - exp(-P / gamma_x + n_x),   x in w, a, k, v, emb, head
//
// A part that a table does not have costs nothing: f is 1. Parts that always have equal bits cannot be
// told apart; a fit ties the later one to the earlier (fit/setup.h), so that f_k f_v becomes f_k^2.
#pragma once

#include <array>
#include <cmath>

#include "laws/common_parameters.h"
#include "laws/forms/kumar.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct KumarParts {
  static constexpr const char* kName = "kumar-parts";
  static constexpr const char* kTitle =
      "Effective parameters; keys, values, embeddings and head with bits of their own";
  static constexpr const char* kSource =
      "ours; Kumar et al. 2024, arXiv 2411.04330, eq. 9 with a factor for every part";
  static constexpr const char* kFormula =
      "L = E + A/N_eff^alpha + B/D^beta; N_eff = N prod_x (1 - exp(-P_x/gamma_x + n_x)), x in w, "
      "a, "
      "k, v, emb, head";
  static constexpr const char* kNotes =
      "A part that the table lacks costs nothing. Parts with equal bits in every row are tied. Not "
      "for quantization after training.";
  static constexpr bool kUsesBits = true;

  enum { kE, kA, kB, kAlpha, kBeta, kGammaW, kNW, kGammaA, kNA, kGammaK, kNK, kGammaV, kNV };
  enum { kGammaEmb = kNV + 1, kNEmb, kGammaHead, kNHead, kTrainingParameters };
  static constexpr std::array kParameters = joined(
      first<Kumar::kGammaKv>(Kumar::kParameters),
      std::array{
          bits_per_factor_e("gamma_k", "bits per factor of e, keys", Quantity::kKeyBits),
          bits_offset("n_k", "offset, keys", Quantity::kKeyBits),
          bits_per_factor_e("gamma_v", "bits per factor of e, values", Quantity::kValueBits),
          bits_offset("n_v", "offset, values", Quantity::kValueBits),
          bits_per_factor_e("gamma_emb", "bits per factor of e, embeddings",
                            Quantity::kEmbeddingBits),
          bits_offset("n_emb", "offset, embeddings", Quantity::kEmbeddingBits),
          bits_per_factor_e("gamma_head", "bits per factor of e, output head", Quantity::kHeadBits),
          bits_offset("n_head", "offset, output head", Quantity::kHeadBits)});

  static constexpr double kGammaKv = 0.9578, kNKv = 2.4185;
  static constexpr auto kStart =
      joined(first<Kumar::kGammaKv>(Kumar::kPublished),
             std::array{kGammaKv, kNKv, kGammaKv, kNKv, 2.6745, 0.3037, 2.6745, 0.3037});
  static constexpr std::array kConstants{ConstantSet{
      .name = "start",
      .source = "starting point, nothing published: the constants of the paper's own law, those of "
                "keys and values for each, those of weights for embeddings and head",
      .values = kStart}};

  // Embeddings and head at 16 bits cost nothing, as where a table does not name them.
  template <class Real, class Number>
  static BITLAW_INLINE Real of_table(const Number& bits, const Real& gamma, const Real& n) {
    return select(bits < Number(kUnquantizedBits), log_capacity(bits, gamma, n), Real(0.0));
  }

  // log(N_eff / N)
  template <class Real, class Number>
  static BITLAW_INLINE Real log_share(const Real* p, const Inputs<Number>& run) {
    return log_capacity(run.bits_weights, p[kGammaW], p[kNW]) +
           log_capacity(run.bits_activations, p[kGammaA], p[kNA]) +
           log_capacity(run.bits_keys, p[kGammaK], p[kNK]) +
           log_capacity(run.bits_values, p[kGammaV], p[kNV]) +
           of_table(run.bits_embedding, p[kGammaEmb], p[kNEmb]) +
           of_table(run.bits_head, p[kGammaHead], p[kNHead]);
  }

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    return p[kE] + p[kA] * falling(p[kAlpha], log_effective_params(log_share(p, run), run)) +
           p[kB] * falling(p[kBeta], run.log_tokens);
  }
};

}  // namespace bitlaw
