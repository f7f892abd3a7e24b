// The best N and D at one precision, within all limits. The closed form is used if the law has it
// and one compute budget binds. Otherwise D is as large as the budgets allow, unless under the law
// more data hurts, and N is found by a search: at fixed precision the laws are sums of powers of N
// and D, convex in (log N, log D), and so are the limits, so there is a single minimum.
#pragma once

#include <limits>

#include "plan/forms.h"
#include "plan/problem.h"

namespace bitlaw {

struct PlanPoint {
  double params = kUnknown, tokens = kUnknown;  // N, D
  Precision precision;                          // while training
  double post_bits = 0;                         // of the weights afterwards; 0 = not quantized
  // Nats per token; infinite if the limits exclude the point.
  double loss = std::numeric_limits<double>::infinity();
};

// The input of a search. `form` is null if the law does not have that form.
struct PlanTask {
  const PlanProblem& problem;
  const Predictor& predictor;
  const EffectiveForm* form;
};

// Whether best_split has a closed form at this P_post.
bool split_is_closed(const PlanTask& task, double post_bits);

// near: an N to start from, NaN if unknown.
PlanPoint best_split(const PlanTask& task, const Precision& precision, double post_bits,
                     double near = kUnknown);

// The same at a given N, even if N is free.
PlanPoint best_tokens(const PlanTask& task, double params, const Precision& precision,
                      double post_bits);

}  // namespace bitlaw
