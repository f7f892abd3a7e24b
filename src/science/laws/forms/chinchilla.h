// Scaling law of Hoffmann et al. (2022, arXiv 2203.15556), eq. 2, in nats per token:
//
//   L(N, D) = E + A / N^alpha + B / D^beta
//
// It knows nothing of bits.
#pragma once

#include <array>
#include <cmath>

#include "laws/batch.h"
#include "laws/inputs.h"
#include "laws/parameter.h"

namespace bitlaw {

struct Chinchilla {
  static constexpr const char* kName = "chinchilla";
  static constexpr const char* kTitle = "Loss against parameters and tokens";
  static constexpr const char* kSource = "Hoffmann et al. 2022, arXiv 2203.15556, eq. 2";
  static constexpr const char* kFormula = "L = E + A/N^alpha + B/D^beta";
  static constexpr bool kUsesBits = false;

  enum { kE, kA, kB, kAlpha, kBeta, kTrainingParameters };
  static constexpr std::array kParameters{
      Parameter{"E", "loss of an infinite model on infinite data, nats", Scale::kLog, 1e-9, 20, 0.5,
                4, Stage::kTraining, true},
      Parameter{"A", "loss at N = 1 from finite size, nats", Scale::kLog, 1e-9, 1e15, 1, 1e5,
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
  };

  // The unrounded values of Hoffmann et al. are from the TeX source of their paper, as given by
  // Besiroglu et al., who refitted the same data to the end.
  static constexpr std::array kHoffmann{1.69337, 406.4, 410.7, 0.33917, 0.28491};
  static constexpr std::array kBesiroglu{1.8172, 482.01, 2085.43, 0.3478, 0.3658};
  static constexpr std::array kConstants{
      ConstantSet{"hoffmann", "Hoffmann et al. 2022, arXiv 2203.15556, approach 3", kHoffmann},
      ConstantSet{"besiroglu", "Besiroglu et al. 2024, arXiv 2404.10102, refit of the same data",
                  kBesiroglu},
  };

  // Nats per token. p: kTrainingParameters values in the order above.
  template <class Real, class Number>
  static BITLAW_INLINE Real loss(const Real* p, const Inputs<Number>& run) {
    using std::exp;
    return p[kE] + p[kA] * exp(-(p[kAlpha] * run.log_params)) +
           p[kB] * exp(-(p[kBeta] * run.log_tokens));
  }
};

}  // namespace bitlaw
