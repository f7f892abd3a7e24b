#include "plan/optimum.h"

#include <algorithm>
#include <cmath>

#include "base/search.h"
#include "plan/continuum.h"
#include "plan/listed.h"

namespace bitlaw {
namespace {

constexpr double kMostPostBits = kUnquantizedBits - 1e-6;  // the laws' terms end at 16

// N and D are given, nothing limits them, and one P for all parts is asked for.
bool balances(const PlanProblem& problem) {
  return problem.free_tied && problem.limits.none();
}

PlanPoint balanced(const PlanTask& task) {
  return best_split(task, {Bits::all(balanced_bits(task))}, task.problem.post_bits);
}

}  // namespace

Optimum best_plan(const PlanTask& task) {
  if (balances(task.problem)) return {balanced(task), {}};
  return task.problem.discrete() ? best_of_list(task) : best_of_continuum(task);
}

PlanPoint best_plan_near(const PlanTask& task, const Optimum& main) {
  if (balances(task.problem)) return balanced(task);
  return task.problem.discrete() ? best_of_list_near(task, main)
                                 : best_of_continuum_near(task, main);
}

PlanPoint best_served(const PlanTask& task, double budget) {
  const Precision unquantized{Bits::all(kUnlimitedBits)};
  const auto at = [&](double post_bits) {
    PlanPoint point{budget / post_bits, 0, unquantized, post_bits};
    point.tokens = task.predictor.critical_tokens(point.params, post_bits);
    if (std::isfinite(point.tokens)) {
      point.loss = task.predictor.loss(point.params, point.tokens, unquantized, post_bits);
    }
    return point;
  };
  if (task.problem.available.empty()) {
    const auto value = [&](double bits) { return at(bits).loss; };
    return at(polish(value, minimise(value, kFewestBits, kMostPostBits).x, 1e-2));
  }
  PlanPoint best;
  for (const double bits : task.problem.available) {
    const PlanPoint point = at(bits);
    if (point.loss < best.loss) best = point;
  }
  return best;
}

}  // namespace bitlaw
