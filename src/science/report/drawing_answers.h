// Drawings of one answer that has no report around it: a comparison of laws, a plan, a frontier of
// bytes, a design. Those that a report has, too, are the same drawings.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "plan/request.h"
#include "report/drawing.h"

namespace bitlaw {

// Of comparison_json (compare/compare.h): held-out errors of training losses.
std::vector<Drawing> comparison_drawings(const Json& comparison);

// Of frontier_json (plan/frontier.h): the loss at each number of bytes, and what each choice loses.
std::vector<Drawing> frontier_drawings(const Json& frontier);

// Of design_json (design/design.h): which runs, and what they do to the interval.
std::vector<Drawing> design_drawings(const Json& design);

// Of plan_json of one law, and the request and the fit that it answers: the loss at other bits, and at
// other sizes, within the same budgets. `fit`: null for published constants.
std::vector<Drawing> plan_drawings(const Json& plan, const PlanRequest& request, const Json& fit,
                                   const Json& devices = nullptr);

}  // namespace bitlaw
