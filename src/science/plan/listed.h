// Plans where precision is chosen from a list: each entry is tried out, with the best N and D.
#pragma once

#include "plan/optimum.h"

namespace bitlaw {

Optimum best_of_list(const PlanTask& task);
PlanPoint best_of_list_near(const PlanTask& task, const Optimum& main);

}  // namespace bitlaw
