// Options of verbs that change nothing for what was asked. Who gives an option expects that the answer
// depends on it, so these are Errors: "KEY: WHY; leave it out", on the command line of the flag.
// plan/unused.h has those of a plan.
#pragma once

#include <functional>
#include <string>

#include "compare/compare.h"
#include "fit/fit.h"
#include "laws/registry.h"
#include "simulate/simulate.h"

namespace bitlaw {

using IsGiven = std::function<bool(const std::string& key)>;

void refuse_unused_of_fit(const FitOptions& options, const IsGiven& is_given);
void refuse_unused_of_fit(const Law& law, const IsGiven& is_given);
// approach: isoflop, envelope, parametric or all.
void refuse_unused_of_approach(const std::string& approach, const IsGiven& is_given);
void refuse_unused_of_compare(const CompareOptions& options, const IsGiven& is_given);
void refuse_unused_of_design(const Law& law, const IsGiven& is_given);
// is_like: the runs are those of a table; has_formula: the law is one of a formula.
void refuse_unused_of_simulate(const Law& law, bool is_like, bool has_formula,
                               const IsGiven& is_given);

}  // namespace bitlaw
