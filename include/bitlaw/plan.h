// Plans training runs and deployments.
//
//   make_plan(request)             the best parameters, tokens and bits under a budget
//   compare_plans(request, fits)   the same by several laws or fits, and where they disagree
//   make_frontier(request)         the best parameters and bits for every size of file in a range
#pragma once

#include "base/error.h"
#include "plan/frontier.h"
#include "plan/plan.h"
