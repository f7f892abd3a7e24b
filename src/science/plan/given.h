// What a request gives and what it leaves free.
#pragma once

#include <string>
#include <vector>

#include "plan/request.h"

namespace bitlaw {

// request.free; if it is empty, those of N, D and P that are not given. (critical_data and
// inference_budget do not use it: N, D and P there.)
std::vector<std::string> free_of(const PlanRequest& request);

// "", or a sentence: something is given and free, a list for a free P comes with a given one, or
// something is given that inference_budget would ignore.
std::string check_given(const PlanRequest& request);

}  // namespace bitlaw
