#include "plan/optimum.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "plan/search.h"

namespace bitlaw {
namespace {

// The best N and D that the budget buys at these bits.
PlanPoint split_budget(const EffectiveForm& form, const PlanProblem& problem, const Bits& bits) {
  PlanPoint point{problem.params, problem.tokens, bits, problem.post_bits};
  const double product = problem.compute / (6 * problem.cost.of(bits));  // N D
  if (product == 0) return point;
  if (problem.free_params && problem.free_tokens) {
    point.params = form.best_params(product, bits);
    if (problem.post_bits > 0) {  // no closed form: search around the one without quantization
      const double centre = std::log(point.params);
      point.params =
          std::exp(minimise(
                       [&](double log_params) {
                         const double params = std::exp(log_params);
                         return form.loss(params, product / params, bits, problem.post_bits);
                       },
                       centre - 12, centre + 12)
                       .x);
    }
    point.tokens = product / point.params;
  } else if (problem.free_params) {
    point.params = product / problem.tokens;
  } else if (problem.free_tokens) {
    point.tokens = product / problem.params;
  } else if (problem.compute > 0 && problem.params * problem.tokens > product * (1 + 1e-9)) {
    return point;  // cannot be paid: the loss stays infinite
  }
  point.loss = form.loss(point.params, point.tokens, bits, problem.post_bits);
  return point;
}

// The best value of one precision, others as in `bits`. set() writes it.
PlanPoint best_over(const EffectiveForm& form, const PlanProblem& problem, const Bits& bits,
                    const std::function<void(Bits&, double)>& set) {
  const auto at = [&](double value) {
    Bits trial = bits;
    set(trial, value);
    return split_budget(form, problem, trial);
  };
  if (problem.available.empty()) {
    return at(minimise([&](double value) { return at(value).loss; }, kFewestBits, kMostBits).x);
  }
  PlanPoint best = at(problem.available[0]);
  for (const double value : problem.available) {
    const PlanPoint point = at(value);
    if (point.loss < best.loss) best = point;
  }
  return best;
}

// Parts one after another, round and round: the loss has one valley in them.
PlanPoint best_parts(const EffectiveForm& form, const PlanProblem& problem) {
  PlanProblem local = problem;
  for (const auto part : problem.free_bits) local.bits.*part = 8;
  PlanPoint best = split_budget(form, local, local.bits);
  for (int round = 0; round < 100; ++round) {
    const Bits before = best.bits;
    for (const auto part : problem.free_bits) {
      best = best_over(form, local, best.bits, [part](Bits& b, double value) { b.*part = value; });
    }
    double moved = 0;
    for (const auto part : problem.free_bits) {
      moved = std::max(moved, std::fabs(best.bits.*part - before.*part));
    }
    if (moved < 1e-6) break;
  }
  return best;
}

}  // namespace

PlanPoint best_training(const EffectiveForm& form, const PlanProblem& problem) {
  if (problem.free_tied && problem.compute > 0) {
    return best_over(form, problem, problem.bits,
                     [](Bits& b, double value) { b = Bits::all(value); });
  }
  if (problem.compute > 0 && !problem.free_bits.empty()) return best_parts(form, problem);
  Bits bits = problem.bits;
  if (problem.free_tied) {  // N and D given without a budget: the precision that is worth them
    bits =
        Bits::all(form.balanced_bits(problem.params, problem.tokens, kFewestBits, 4 * kMostBits));
  }
  if (problem.compute > 0) return split_budget(form, problem, bits);
  PlanPoint point{problem.params, problem.tokens, bits, problem.post_bits};
  point.loss = form.loss(point.params, point.tokens, bits, problem.post_bits);
  return point;
}

PlanPoint best_served(const EffectiveForm& form, double budget,
                      const std::vector<double>& available) {
  const auto at = [&](double post_bits) {
    PlanPoint point{budget / post_bits, 0, Bits::all(kUnlimitedBits), post_bits};
    point.tokens = form.critical_tokens(point.params, post_bits);
    if (std::isfinite(point.tokens)) {
      point.loss = form.loss(point.params, point.tokens, point.bits, post_bits);
    }
    return point;
  };
  if (available.empty()) {
    // Just under 16, where the law's term ends.
    return at(
        minimise([&](double p) { return at(p).loss; }, kFewestBits, kUnquantizedBits - 1e-6).x);
  }
  PlanPoint best = at(available[0]);
  for (const double bits : available) {
    const PlanPoint point = at(bits);
    if (point.loss < best.loss) best = point;
  }
  return best;
}

}  // namespace bitlaw
