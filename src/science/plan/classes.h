// Laws with one constant for each precision class (eff[W4A4]): what a plan can choose from is the
// classes that have a value.
#pragma once

#include <string>

#include "plan/problem.h"

namespace bitlaw {

// Sets out.formats where precision is free, else out.precision. Returns "" or the sentence that says
// what is wrong: a precision for which the law has no constant.
std::string read_classes(const PlanRequest& request, const Law& law, PlanProblem& out);

}  // namespace bitlaw
