// Sentences about limits: which of them bind, and why there is no answer.
#pragma once

#include <string>
#include <vector>

#include "plan/problem.h"

namespace bitlaw {

// Why no point at all is allowed.
std::string why_nothing(const PlanProblem& problem);

// What limits the answer that uses this much of each budget; "" if there are no budgets.
std::string binding_sentence(const PlanProblem& problem, const std::vector<Use>& uses);

}  // namespace bitlaw
