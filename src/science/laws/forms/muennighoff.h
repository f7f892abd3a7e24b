// Data-constrained scaling law of Muennighoff et al. (2023, arXiv 2305.16264), in nats per token:
// repeated tokens, and parameters beyond the optimum for the distinct tokens, have diminishing
// value.
//
//   L   = E + A / N'^alpha + B / D'^beta
//   D'  = U_D (1 + R*_D (1 - exp(-R_D / R*_D))),     R_D = D / U_D - 1
//   N'  = U_N (1 + R*_N (1 - exp(-R_N / R*_N))),     R_N = N / U_N - 1
//   U_N = min(N, N_opt(U_D)),  N_opt(U) = (alpha A / (beta B))^(1/alpha) U^(beta/alpha)
//
// U_D distinct tokens are seen D / U_D times. N_opt(U) is the size for which U tokens are
// compute-optimal under A, B, alpha, beta (C = 6 N D); with the published values it is 0.051 U.
// With R_D = 0 and N up to N_opt this is Chinchilla's law. Without a column of distinct tokens, no
// token is assumed to repeat. The law does not model bits.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

constexpr Parameter worth_of_repeats(const char* name, const char* meaning) {
  return positive(name, meaning, {1e-3, 1e6}, {1, 100}).identified_by(Quantity::kRepetitions, 1);
}

struct Muennighoff {
  static constexpr const char* kName = "muennighoff";
  static constexpr const char* kTitle = "Repeated data: effective tokens and parameters";
  static constexpr const char* kSource = "Muennighoff et al. 2023, arXiv 2305.16264";
  static constexpr const char* kFormula =
      "L = E + A/N'^alpha + B/D'^beta; D' = U_D (1 + Rstar_D (1 - exp(-R_D/Rstar_D))), "
      "R_D = D/U_D - 1; N' = U_N (1 + Rstar_N (1 - exp(-R_N/Rstar_N))), R_N = N/U_N - 1, "
      "U_N = min(N, N_opt(U_D))";
  static constexpr const char* kNotes =
      "N_opt(U) = (alpha A / (beta B))^(1/alpha) U^(beta/alpha) is the size for which U tokens are "
      "compute-optimal. Without a column of distinct tokens U_D, no token is assumed to repeat.";
  static constexpr bool kUsesBits = false;

  enum { kE, kA, kB, kAlpha, kBeta, kRStarD, kRStarN, kTrainingParameters };
  static constexpr std::array kParameters{
      irreducible_loss("E"),
      // A and B are not linear: N_opt depends on them.
      positive("A", "loss at N' = 1 from finite size, nats", {1e-9, 1e15}, {1, 1e5}),
      positive("B", "loss at D' = 1 from finite data, nats", {1e-9, 1e15}, {1, 1e6}),
      exponent_of_size("alpha"), exponent_of_data("beta"),
      worth_of_repeats("Rstar_D", "repetitions after which repeated tokens are worth little"),
      worth_of_repeats("Rstar_N",
                       "multiples of U_N after which excess parameters are worth little")};

  static constexpr auto kPublished =
      values_of(kParameters, is(kE, 1.87), is(kA, 521), is(kB, 1488), is(kAlpha, 0.35266),
                is(kBeta, 0.35266), is(kRStarD, 15.3878), is(kRStarN, 5.3097));
  static constexpr std::array kConstants{
      ConstantSet{.name = "published",
                  .source = "Muennighoff et al. 2023, arXiv 2305.16264, trained on C4",
                  .values = kPublished}};

  // log(1 + R* (1 - exp(-R / R*))) for R = exp(log_ratio) - 1. Ratios above e^50 are treated
  // as e^50.
  template <class Real, class Log>
  static BITLAW_INLINE Real log_worth(const Log& log_ratio, const Real& r_star) {
    using std::expm1;
    using std::log1p;
    const Log bounded = select(value_of(log_ratio) < 50.0, log_ratio, Log(50.0));
    return log1p(-(r_star * expm1(-(expm1(bounded) / r_star))));
  }

  // Nats per token.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    using std::log;
    const Real log_data =
        log_worth(run.log_tokens - run.log_unique_tokens, p[kRStarD]) + run.log_unique_tokens;
    const Real log_optimal =
        (log(p[kAlpha] * p[kA] / (p[kBeta] * p[kB])) + p[kBeta] * run.log_unique_tokens) /
        p[kAlpha];
    const Real log_params(run.log_params);
    const Real log_base = select(value_of(log_optimal) < run.log_params, log_optimal, log_params);
    const Real log_size = log_worth(log_params - log_base, p[kRStarN]) + log_base;
    return p[kE] + p[kA] * falling(p[kAlpha], log_size) + p[kB] * falling(p[kBeta], log_data);
  }
};

}  // namespace bitlaw
