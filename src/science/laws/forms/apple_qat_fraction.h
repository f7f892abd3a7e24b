// How much of training should be quantization-aware (Dremov et al. 2025, arXiv 2509.22935): the
// share of all tokens, spent after full-precision training on the rest, that minimizes the loss.
//
//   share = exp(log S - c / log S) / S = exp(-c / log S),     S = D / (N P / 8)
//
// S is the number of tokens per byte of quantized weights. The share grows with S. This law
// predicts a share of tokens, not a loss.
#pragma once

#include <array>

#include "laws/common_parameters.h"
#include "laws/inputs.h"
#include "laws/terms.h"

namespace bitlaw {

struct AppleQatFraction {
  static constexpr const char* kName = "apple-qat-fraction";
  static constexpr const char* kTitle = "Best share of quantization-aware training";
  static constexpr const char* kSource = "Dremov et al. 2025, arXiv 2509.22935";
  static constexpr const char* kFormula =
      "share = exp(log S - c/log S) / S; S = D / (N P_w / 8), tokens per parameter byte";
  static constexpr const char* kNotes =
      "Predicts a share of the tokens, not a loss; fitting it needs a column of measured shares.";
  static constexpr bool kUsesBits = true;
  static constexpr Predicts kPredicts = Predicts::kQatShare;

  enum { kC, kTrainingParameters };
  static constexpr std::array kParameters{
      positive("c", "the share is exp(-c / log S)", {1e-3, 1e3}, {1, 20})};

  static constexpr auto kPublished = values_of(kParameters, is(kC, 6.7297));
  static constexpr std::array kConstants{ConstantSet{
      .name = "published", .source = "Dremov et al. 2025, arXiv 2509.22935", .values = kPublished}};

  // Share of the tokens, 0 to 1; practically 0 at one token per byte and below.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    using std::exp;
    using std::log;
    const Number log_s = run.log_tokens - run.log_params - log(run.bits_weights * 0.125);
    return exp(-(p[kC] * (1.0 / max(log_s, Number(1e-3)))));
  }
};

}  // namespace bitlaw
