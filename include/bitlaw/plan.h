// Plans training runs and deployments.
//
//   make_plan(request)             the best parameters, tokens and bits under a budget
//   compare_plans(request, fits)   the same by several laws or fits, and where they disagree
#pragma once

#include "base/error.h"
#include "plan/plan.h"
