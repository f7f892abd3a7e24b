// QuEST's law with the optimizer as a factor, in nats per token: an optimizer is worth a share of the
// parameters at full precision, and a precision leaves each optimizer another share of them.
//
//   L(N, D, P, o) = A / (N share(o) rho(P, o))^alpha + B / D^beta + E
//
// share(AdamW) = 1 and rho(BF16, o) = 1. Vlassis et al. 2025 (arXiv 2509.23500) fit each optimizer by
// itself, with D = 20 N, to A' / (N rho)^alpha + E, rho = 1 for BF16: `bitlaw fit --law quest --by
// optimizer` is that. Here one fit has all optimizers and shares A, alpha, B, beta and E among them.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/quest.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct QuestOptimizer {
  static constexpr const char* kName = "quest-optimizer";
  static constexpr const char* kTitle =
      "Effective parameters, one share per precision and optimizer";
  static constexpr const char* kSource =
      "ours; rho of each optimizer as in Vlassis et al. 2025, arXiv 2509.23500, section 5 and "
      "table "
      "10, known from public notes on it, in the law of QuEST, arXiv 2502.05003";
  static constexpr const char* kFormula =
      "L = A/(N share[optimizer] rho[class@optimizer])^alpha + B/D^beta + E";
  static constexpr const char* kNotes =
      "The optimizer is the column of that name; AdamW, or a row that does not say, has share = 1, "
      "and its classes are called W4A4 rather than W4A4@adamw. BF16 has rho = 1 with every "
      "optimizer. The paper fits each optimizer by itself, E and alpha included, at D = 20 N "
      "(fit --law quest --by optimizer); its notes give E = 1.40 for AdamW, 1.85 Muon, 1.39 PSGD, "
      "1.75 Scion, 1.72 Shampoo and 2.22 SOAP, but neither A' nor alpha. Without that "
      "column this is quest.";
  static constexpr bool kUsesBits = true;

  enum { kA, kAlpha, kB, kBeta, kE, kTrainingParameters };
  static constexpr auto kParameters = Quest::kParameters;
  static constexpr std::array kClassParameters{
      share_of_class("share", "worth of an optimizer's parameters at full precision, AdamW's = 1",
                     ClassAxis::kOptimizer),
      share_of_class("rho", "effective share of the parameters in a precision class",
                     ClassAxis::kForwardOfOptimizer)};

  static constexpr std::array kStartClasses{
      ClassValue{"rho", "W4A4", 0.863},         ClassValue{"rho", "W4A4@muon", 0.852},
      ClassValue{"rho", "W4A4@psgd", 0.739},    ClassValue{"rho", "W4A4@scion", 0.856},
      ClassValue{"rho", "W4A4@shampoo", 0.879}, ClassValue{"rho", "W4A4@soap", 0.822}};
  static constexpr std::array kConstants{ConstantSet{
      .name = "start",
      .source =
          "starting point: rho of 4 bits as in table 10 of arXiv 2509.23500, quoted from public "
          "notes on it (OLMo2 architecture, 50 M to 1.5 B parameters, 20 tokens a parameter, "
          "ClimbMix; QuEST's quantizer); A, alpha, B, beta and E are those of quest, because "
          "none were found for this law; no share of an optimizer was published",
      .values = Quest::kPublished,
      .classes = kStartClasses}};

  // Nats per token. of_class: share of the row's optimizer, rho of its class.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Real* of_class, const Inputs<Number>& run) {
    using std::log;
    const Real share = log(of_class[0]) + log(of_class[1]);
    return p[kE] + p[kA] * falling(p[kAlpha], log_effective_params(share, run)) +
           p[kB] * falling(p[kBeta], run.log_tokens);
  }
};

}  // namespace bitlaw
