// The form with effective parameters and effective data, untied, that Kumar et al. (2024, arXiv
// 2411.04330, appendix C) compare theirs with, in nats per token: bits make both count less, each
// by its own share.
//
//   L = E + A / (N prod_x f_x(P_x))^alpha + B / (D prod_x g_x(P_x))^beta
//
// What is public names the form and not its terms, so f_x and g_x are assumed to be those of the
// paper's own law with the offsets of appendix K (laws/forms/kumar.h), with constants of their own.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/kumar.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct KumarBothUntied {
  static constexpr const char* kName = "kumar-both-untied";
  static constexpr const char* kTitle = "Effective parameters and data, a share for each";
  static constexpr const char* kSource =
      "Kumar et al. 2024, arXiv 2411.04330, appendix C (the name; the form is read from it)";
  static constexpr const char* kFormula =
      "L = E + A/(N f)^alpha + B/(D g)^beta; f = prod_x (1 - exp(-P_x/gamma_x + n_x)), "
      "g = prod_x (1 - exp(-P_x/gamma_x_D + n_x_D))";
  static constexpr const char* kNotes =
      "What is public names the form and not its terms: f and g are assumed to be those of the "
      "paper's own law, with offsets and constants of their own.";
  static constexpr bool kUsesBits = true;

  // The parameters of training of Kumar's law, in its order, then those of the share of data in
  // the order of the share of parameters.
  static constexpr int kOfShare = Kumar::kGammaW, kFirstOfData = Kumar::kTrainingParameters;
  static constexpr int kTrainingParameters = 2 * kFirstOfData - kOfShare;
  static constexpr std::array kParameters = joined(
      first<kFirstOfData>(Kumar::kParameters),
      std::array{
          bits_per_factor_e("gamma_w_D", "bits per factor e for data, weights",
                            Quantity::kWeightBits),
          bits_offset("n_w_D", "offset for data, weights (walks as a product, bits)",
                      Quantity::kWeightBits),
          bits_per_factor_e("gamma_a_D", "bits per factor e for data, activations",
                            Quantity::kActivationBits),
          bits_offset("n_a_D", "offset for data, activations (walks as a product, bits)",
                      Quantity::kActivationBits),
          bits_per_factor_e("gamma_kv_D", "bits per factor e for data, keys and values",
                            Quantity::kKvBits),
          bits_offset("n_kv_D", "offset for data, keys and values (walks as a product, bits)",
                      Quantity::kKvBits)});

  static constexpr auto kStart =
      joined(first<kFirstOfData>(Kumar::kPublished),
             last<kFirstOfData - kOfShare>(first<kFirstOfData>(Kumar::kPublished)));
  static constexpr std::array kConstants{ConstantSet{
      .name = "start",
      .source = "a starting point, none published: the constants of the paper's own law, the same "
                "for data",
      .values = kStart}};

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    const Real log_size = Kumar::log_share(p, run) + run.log_params;
    const Real log_data = Kumar::log_share(p + (kFirstOfData - kOfShare), run) + run.log_tokens;
    return p[Kumar::kE] + p[Kumar::kA] * falling(p[Kumar::kAlpha], log_size) +
           p[Kumar::kB] * falling(p[Kumar::kBeta], log_data);
  }
};

}  // namespace bitlaw
