// Options of a request that would change nothing. A request with one of them is refused: who gives an
// option expects that the answer depends on it.
#pragma once

#include <string>

#include "base/json.h"
#include "laws/registry.h"
#include "plan/request.h"

namespace bitlaw {

struct PlanProblem;

// "", or a sentence. `request`: .free as resolved by free_of. `total`: the law's N counts all parameters,
// so that vocabulary and width matter without a file.
std::string check_used(const PlanRequest& request, const Law& law, bool total);

// The same of what files say of bits, for the precisions that there are to choose from.
std::string check_used(const PlanRequest& request, const PlanProblem& problem);

// The same of unique_tokens and group, which are how the runs are made: callers that have them from a
// table give them to any law, so only who was asked for them by name checks this. `fit`: as of make_plan.
std::string check_surroundings(const PlanRequest& request, const Json& fit);

}  // namespace bitlaw
