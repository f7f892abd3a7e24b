// The best N and D at one precision, within all limits. Where a law has the closed form and one
// compute budget binds, that is used; else D is as large as the budgets allow unless the law says
// that more data hurts, and N is searched for: at fixed precision the laws are sums of powers of N
// and D, convex in (log N, log D), and so is what the limits allow, so there is one valley.
#pragma once

#include <limits>

#include "plan/forms.h"
#include "plan/problem.h"

namespace bitlaw {

struct PlanPoint {
  double params = kUnknown, tokens = kUnknown;  // N, D
  Precision precision;                          // while training
  double post_bits = 0;                         // of the weights afterwards; 0 = not quantized
  // Nats per token; infinite where the limits leave no room for the point.
  double loss = std::numeric_limits<double>::infinity();
};

// What a search works on. `form` is null where the law is not of that form.
struct PlanTask {
  const PlanProblem& problem;
  const Predictor& predictor;
  const EffectiveForm* form;
};

// Whether best_split is a closed form at this P_post.
bool split_is_closed(const PlanTask& task, double post_bits);

// near: an N to start from, NaN where none is known.
PlanPoint best_split(const PlanTask& task, const Precision& precision, double post_bits,
                     double near = kUnknown);

// The same at a given N, however N may be free.
PlanPoint best_tokens(const PlanTask& task, double params, const Precision& precision,
                      double post_bits);

}  // namespace bitlaw
