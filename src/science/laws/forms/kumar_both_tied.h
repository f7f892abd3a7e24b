// The form with effective parameters and effective data, tied, that Kumar et al. (2024, arXiv
// 2411.04330, appendix C) compare theirs with, in nats per token: bits reduce both
// by the same factor.
//
//   L = E + A / (N f)^alpha + B / (D f)^beta,     f = prod_x f_x(P_x)
//
// The paper names this form without giving its terms; f_x is assumed to be that of its own law with
// the offsets of appendix K (laws/forms/kumar.h).
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/kumar.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct KumarBothTied {
  static constexpr const char* kName = "kumar-both-tied";
  static constexpr const char* kTitle = "Effective parameters and data, one common factor";
  static constexpr const char* kSource =
      "Kumar et al. 2024, arXiv 2411.04330, appendix C (name only; the form is inferred)";
  static constexpr const char* kFormula =
      "L = E + A/(N f)^alpha + B/(D f)^beta; f = prod_x (1 - exp(-P_x/gamma_x + n_x))";
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
    const Real log_share = Kumar::log_share(p, run);
    return p[Kumar::kE] +
           p[Kumar::kA] * falling(p[Kumar::kAlpha], log_effective_params(log_share, run)) +
           p[Kumar::kB] * falling(p[Kumar::kBeta], log_share + run.log_tokens);
  }
};

}  // namespace bitlaw
