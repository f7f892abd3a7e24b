// The best point of a problem: closed forms where there are, one-dimensional searches around them.
#pragma once

#include <limits>
#include <vector>

#include "plan/forms.h"
#include "plan/problem.h"

namespace bitlaw {

struct PlanPoint {
  double params = kUnknown, tokens = kUnknown;  // N, D
  Bits bits;                                    // while training
  double post_bits = 0;                         // of the weights afterwards; 0 = not quantized
  // Nats per token; infinite where the budget cannot pay for the point.
  double loss = std::numeric_limits<double>::infinity();
};

// Within a training budget; without one, the point itself, or the precision that balances N and D.
PlanPoint best_training(const EffectiveForm& form, const PlanProblem& problem);

// Minimises the loss of a BF16 model quantized to P_post, with N P_post = budget; at fixed N and
// P_post the best D is the critical one.
// available: values P_post may take, empty = any below 16.
PlanPoint best_served(const EffectiveForm& form, double budget,
                      const std::vector<double>& available);

}  // namespace bitlaw
