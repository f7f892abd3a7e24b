// Plans with precision from a list: each entry is evaluated with its best N and D.
#pragma once

#include "plan/optimum.h"

namespace bitlaw {

Optimum best_of_list(const PlanTask& task);
PlanPoint best_of_list_near(const PlanTask& task, const Optimum& main);

}  // namespace bitlaw
