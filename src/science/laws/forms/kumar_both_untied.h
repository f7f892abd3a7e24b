// The form with effective parameters and effective data, untied, that Kumar et al. (2024, arXiv
// 2411.04330, appendix C) compare theirs with, in nats per token: bits reduce both,
// each by its own factor.
//
//   L = E + A / (N prod_x f_x(P_x))^alpha + B / (D prod_x g_x(P_x))^beta
//
// The paper names this form without giving its terms; f_x and g_x are assumed to have the form of
// its own law with the offsets of appendix K (laws/forms/kumar.h), with separate constants.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/kumar.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct KumarBothUntied {
  static constexpr const char* kName = "kumar-both-untied";
  static constexpr const char* kTitle = "Effective parameters and data, separate factors";
  static constexpr const char* kSource =
      "Kumar et al. 2024, arXiv 2411.04330, appendix C (name only; the form is inferred)";
  static constexpr const char* kFormula =
      "L = E + A/(N f)^alpha + B/(D g)^beta; f = prod_x (1 - exp(-P_x/gamma_x + n_x)), "
      "g = prod_x (1 - exp(-P_x/gamma_x_D + n_x_D))";
  static constexpr const char* kNotes =
      "The paper names this form without giving its terms; f and g are assumed to have the form of "
      "its own law, with offsets and with separate constants.";
  static constexpr bool kUsesBits = true;

  // The training parameters of Kumar's law, in its order, then those of the factor of data in the
  // order of those of the factor of parameters.
  static constexpr int kOfShare = Kumar::kGammaW, kFirstOfData = Kumar::kTrainingParameters;
  static constexpr int kTrainingParameters = 2 * kFirstOfData - kOfShare;
  static constexpr std::array kParameters = joined(
      first<kFirstOfData>(Kumar::kParameters),
      std::array{
          bits_per_factor_e("gamma_w_D", "bits per factor of e for data, weights",
                            Quantity::kWeightBits),
          bits_offset("n_w_D", "offset for data, weights (fitted as a product, in bits)",
                      Quantity::kWeightBits),
          bits_per_factor_e("gamma_a_D", "bits per factor of e for data, activations",
                            Quantity::kActivationBits),
          bits_offset("n_a_D", "offset for data, activations (fitted as a product, in bits)",
                      Quantity::kActivationBits),
          bits_per_factor_e("gamma_kv_D", "bits per factor of e for data, keys and values",
                            Quantity::kKvBits),
          bits_offset("n_kv_D", "offset for data, keys and values (fitted as a product, in bits)",
                      Quantity::kKvBits)});

  static constexpr auto kStart =
      joined(first<kFirstOfData>(Kumar::kPublished),
             last<kFirstOfData - kOfShare>(first<kFirstOfData>(Kumar::kPublished)));
  static constexpr std::array kConstants{ConstantSet{
      .name = "start",
      .source = "starting point, nothing published: the constants of the paper's own law, the same "
                "for data",
      .values = kStart}};

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    const Real log_size = log_effective_params(Kumar::log_share(p, run), run);
    const Real log_data = Kumar::log_share(p + (kFirstOfData - kOfShare), run) + run.log_tokens;
    return p[Kumar::kE] + p[Kumar::kA] * falling(p[Kumar::kAlpha], log_size) +
           p[Kumar::kB] * falling(p[Kumar::kBeta], log_data);
  }
};

}  // namespace bitlaw
