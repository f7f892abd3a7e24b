// Sentences about limits: which of them bind, and why there is no answer.
#pragma once

#include <string>
#include <vector>

#include "plan/problem.h"
#include "plan/split.h"

namespace bitlaw {

// Why no point at all is allowed, or has a loss.
std::string why_nothing(const PlanTask& task);

// What limits the answer that uses this much of each budget; "" if there are no budgets.
std::string binding_sentence(const PlanProblem& problem, const std::vector<Use>& uses);

}  // namespace bitlaw
