// The form with effective data that Kumar et al. (2024, arXiv 2411.04330, appendix C) compare
// theirs with, in nats per token: bits reduce the tokens instead of the parameters.
//
//   L = E + A / N^alpha + B / D_eff^beta,     D_eff = D prod_x f_x(P_x)
//
// The paper names this form without giving its terms; f_x is assumed to be that of its own law with
// the offsets of appendix K (laws/forms/kumar.h), so that the two laws have equally many constants.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/kumar.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct KumarDeff {
  static constexpr const char* kName = "kumar-deff";
  static constexpr const char* kTitle = "Effective data instead of effective parameters";
  static constexpr const char* kSource =
      "Kumar et al. 2024, arXiv 2411.04330, appendix C (name only; the form is inferred)";
  static constexpr const char* kFormula =
      "L = E + A/N^alpha + B/D_eff^beta; D_eff = D prod_x (1 - exp(-P_x/gamma_x + n_x))";
  static constexpr const char* kNotes =
      "The paper names this form without giving its terms; f is assumed to be that of its own law, "
      "with offsets.";
  static constexpr bool kUsesBits = true;

  // The training parameters of Kumar's law, in its order.
  enum { kTrainingParameters = Kumar::kTrainingParameters };
  static constexpr auto kParameters = first<kTrainingParameters>(Kumar::kParameters);
  static constexpr auto kStart = first<kTrainingParameters>(Kumar::kPublished);
  static constexpr std::array kConstants{ConstantSet{
      .name = "start",
      .source = "starting point, nothing published: the constants of the paper's own law",
      .values = kStart}};

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    const Real log_data = Kumar::log_share(p, run) + run.log_tokens;
    return p[Kumar::kE] + p[Kumar::kA] * falling(p[Kumar::kAlpha], run.log_params) +
           p[Kumar::kB] * falling(p[Kumar::kBeta], log_data);
  }
};

}  // namespace bitlaw
