// The law of Kumar et al. (2024, arXiv 2411.04330) as its main text prints it, without the offsets
// of appendix K:
//
//   f_x(P) = 1 - exp(-P / gamma_x),     delta = C_T exp(-P_post / gamma_post) D^gamma_D /
//   N_eff^gamma_N
//
// With the published constants its compute-optimal precision is 3.5 bits, not the paper's 7 to 8.
// It is included for comparison with the form that has offsets.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/forms/kumar.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct KumarNoOffsets {
  static constexpr const char* kName = "kumar-no-offsets";
  static constexpr const char* kTitle = "Effective parameters, as in the paper's main text";
  static constexpr const char* kSource = "Kumar et al. 2024, arXiv 2411.04330, eq. 9";
  static constexpr const char* kFormula =
      "L = E + A/N_eff^alpha + B/D^beta + delta; N_eff = N prod_x (1 - exp(-P_x/gamma_x)); "
      "delta = C_T exp(-P_post/gamma_post) D^gamma_D / N_eff^gamma_N";
  static constexpr bool kUsesBits = true;

  enum { kE, kA, kB, kAlpha, kBeta, kGammaW, kGammaA, kGammaKv, kCT };
  enum { kTrainingParameters = kCT, kGammaD, kGammaN, kGammaPost };
  static constexpr std::array kParameters =
      joined(first<kGammaW>(Kumar::kParameters),
             std::array{Kumar::kParameters[Kumar::kGammaW], Kumar::kParameters[Kumar::kGammaA],
                        Kumar::kParameters[Kumar::kGammaKv], Kumar::kParameters[Kumar::kCT],
                        Kumar::kParameters[Kumar::kGammaD], Kumar::kParameters[Kumar::kGammaN],
                        Kumar::kParameters[Kumar::kGammaPost]});

  static constexpr auto kPublished =
      values_of(kParameters, first<kGammaW>(Kumar::kPublished), is(kGammaW, 2.6745),
                is(kGammaA, 2.2102), is(kGammaKv, 0.9578), is(kCT, 0.0598), is(kGammaD, 0.5068),
                is(kGammaN, 0.3439), is(kGammaPost, 0.5907));
  static constexpr std::array kConstants{
      ConstantSet{.name = "published",
                  .source = "Kumar et al. 2024, arXiv 2411.04330, appendix K, without its offsets",
                  .values = kPublished}};

  // The same values with every offset zero, in the order of Kumar's parameters.
  template <class Real>
  static BITLAW_INLINE void with_offsets(const Real* p, bool post, Real* q) {
    for (size_t i = 0; i < Kumar::kParameters.size(); ++i) q[i] = Real(0.0);
    for (int i = kE; i <= kBeta; ++i) q[i] = p[i];
    q[Kumar::kGammaW] = p[kGammaW];
    q[Kumar::kGammaA] = p[kGammaA];
    q[Kumar::kGammaKv] = p[kGammaKv];
    if (!post) return;
    for (int i = 0; i < 4; ++i) q[Kumar::kCT + i] = p[kCT + i];
    q[Kumar::kCW] = q[Kumar::kCA] = q[Kumar::kCKv] = Real(Kumar::kStep);
  }

  // log(N_eff / N)
  template <class Real, class Number>
  static BITLAW_INLINE Real log_share(const Real* p, const Inputs<Number>& run) {
    Real q[Kumar::kParameters.size()];
    with_offsets(p, false, q);
    return Kumar::log_share(q, run);
  }

  // Nats per token at the end of training. p: at least the first kTrainingParameters values.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    Real q[Kumar::kParameters.size()];
    with_offsets(p, false, q);
    return Kumar::loss(q, run);
  }

  // Loss difference in nats, see Kumar::delta. p: all values.
  template <class Real, class Number>
  static BITLAW_INLINE Real delta(const Real* p, const Inputs<Number>& run) {
    Real q[Kumar::kParameters.size()];
    with_offsets(p, true, q);
    return Kumar::delta(q, run);
  }
};

}  // namespace bitlaw
