// Laws with one constant per precision class (eff[W4A4]): a plan chooses among the classes that
// have a value.
#pragma once

#include <string>

#include "plan/problem.h"

namespace bitlaw {

// Sets out.formats if precision is free, else out.precision. Returns "" or the error: a precision
// for which the law has no constant.
std::string read_classes(const PlanRequest& request, const Law& law, PlanProblem& out);

}  // namespace bitlaw
