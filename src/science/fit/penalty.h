// How well a law predicts what low precision costs, apart from the loss itself: R^2 of
//
//   L(N, D, P) - L(N, D, 16)
//
// over the quantized runs that have unquantized ones of the same N, D, distinct tokens and other inputs of
// the law (their mean, if several).
// R^2 of the loss is near one for any law that knows N and D, whatever it makes of precision.
#pragma once

#include <vector>

#include "laws/observation.h"
#include "laws/registry.h"

namespace bitlaw {

struct PenaltyFit {
  double r2 = kUnknown;
  int rows = 0;               // with a reference
  int without_reference = 0;  // quantized runs that have none
};

// values: the law's constants. rows: runs, not cells of post-training quantization.
PenaltyFit penalty_fit(const Law& law, const std::vector<double>& values,
                       const std::vector<Observation>& rows);

}  // namespace bitlaw
