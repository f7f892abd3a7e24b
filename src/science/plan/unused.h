// Options of a request that would change nothing. A request with one of them is refused: who gives an
// option expects that the answer depends on it.
#pragma once

#include <string>

#include "plan/problem.h"
#include "plan/request.h"

namespace bitlaw {

// "", or a sentence. `request`: .free as resolved by free_of. `total`: the law's N counts all parameters,
// so that vocabulary and width matter without a file.
std::string check_used(const PlanRequest& request, const Law& law, bool total);

// The same of what depends on the constants, and on the precisions that there are to choose from.
std::string check_used(const PlanRequest& request, const PlanProblem& problem,
                       const Constants& constants);

// Whether the law's prediction depends on unique_tokens, and on group.
bool feels_repetition(const Constants& constants);
bool feels_group(const Constants& constants);

}  // namespace bitlaw
