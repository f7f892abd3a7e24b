#include "plan/split.h"

#include <algorithm>
#include <cmath>

#include "base/search.h"

namespace bitlaw {
namespace {

constexpr double kMostLogTokens = 69;  // D = 1e30: as good as without end
constexpr double kTolerance = 1e-6;    // of a logarithm, before polish()
constexpr double kPolishStep = 2e-3;

PlanPoint point_at(const PlanTask& task, double params, double tokens, const Precision& precision,
                   double post_bits) {
  PlanPoint point{params, tokens, precision, post_bits};
  point.loss = task.predictor.loss(params, tokens, precision, post_bits);
  return point;
}

PlanPoint nowhere(const Precision& precision, double post_bits) {
  return {kUnknown, kUnknown, precision, post_bits};
}

// The x in (-inf, high] that minimises the unimodal f: high itself if f still falls there.
template <class F>
double best_below(const F& f, double high, double low) {
  if (!(f(high - 1e-3) < f(high))) return high;
  const double best = minimise_near(f, high - 1, 1, low, high, kTolerance).x;
  return best < high - 3 * kPolishStep ? polish(f, best, kPolishStep) : best;
}

// N given, D free.
PlanPoint tokens_for(const PlanTask& task, double params, const Precision& precision,
                     double post_bits) {
  const double most = task.problem.limits.most_tokens(params, precision, post_bits);
  if (!(most >= 1)) return nowhere(precision, post_bits);
  const bool endless = std::isinf(most);
  const double high = endless ? kMostLogTokens : std::log(most);
  const double best = best_below(
      [&](double log_tokens) {
        return task.predictor.loss(params, std::exp(log_tokens), precision, post_bits);
      },
      high, 0);
  if (best == high && endless) return nowhere(precision, post_bits);
  return point_at(task, params, best == high ? most : std::exp(best), precision, post_bits);
}

// D given, or in proportion to N; N free.
PlanPoint params_for(const PlanTask& task, const Precision& precision, double post_bits) {
  const double ratio = task.problem.tokens_per_param;
  const auto tokens = [&](double params) {
    return ratio > 0 ? ratio * params : task.problem.tokens;
  };
  const Limits& limits = task.problem.limits;
  const double most = ratio > 0 ? limits.most_params_at_ratio(ratio, precision, post_bits)
                                : limits.most_params(task.problem.tokens, precision, post_bits);
  if (!(most >= 1) || std::isinf(most)) return nowhere(precision, post_bits);
  const double best = best_below(
      [&](double log_params) {
        const double params = std::exp(log_params);
        return task.predictor.loss(params, tokens(params), precision, post_bits);
      },
      std::log(most), 0);
  const double params = best == std::log(most) ? most : std::exp(best);
  return point_at(task, params, tokens(params), precision, post_bits);
}

PlanPoint closed_split(const PlanTask& task, const Precision& precision, double post_bits) {
  const Limits& limits = task.problem.limits;
  const double product = limits.product(precision);
  if (!(product >= 1)) return nowhere(precision, post_bits);
  // The loss is convex in log N along the budget: what does not fit into memory is cut back to it.
  const double params = std::min(task.form->best_params(product, law_bits(precision)),
                                 limits.most_params_in_memory(precision, post_bits));
  if (!(params > 0)) return nowhere(precision, post_bits);
  return point_at(task, params, product / params, precision, post_bits);
}

PlanPoint searched_split(const PlanTask& task, const Precision& precision, double post_bits,
                         double near) {
  const Limits& limits = task.problem.limits;
  const double most = limits.most_params(1, precision, post_bits);
  if (!(most >= 1) || std::isinf(most)) return nowhere(precision, post_bits);
  const double high = std::log(most);
  const auto value = [&](double log_params) {
    return tokens_for(task, std::exp(log_params), precision, post_bits).loss;
  };
  const bool warm = near > 0;
  // Twenty tokens per parameter is typical of unquantized models of today's sizes.
  const double product = limits.product(precision);
  const double guess = std::isinf(product) ? high - 1 : 0.5 * std::log(product / 20);
  double best = minimise_near(value, warm ? std::log(near) : std::min(guess, high - 1e-3),
                              warm ? 0.05 : 0.5, 0, high, kTolerance)
                    .x;
  if (best < high - 3 * kPolishStep) best = polish(value, best, kPolishStep);
  return tokens_for(task, best == high ? most : std::exp(best), precision, post_bits);
}

bool quantizes(double post_bits) {
  return post_bits > 0 && post_bits < kUnquantizedBits;
}

}  // namespace

bool split_is_closed(const PlanTask& task, double post_bits) {
  const PlanProblem& problem = task.problem;
  return problem.free_params && problem.free_tokens && task.form != nullptr &&
         !quantizes(post_bits) && problem.limits.serving.tokens == 0 &&
         !problem.limits.compute.empty();
}

PlanPoint best_tokens(const PlanTask& task, double params, const Precision& precision,
                      double post_bits) {
  return tokens_for(task, params, precision, post_bits);
}

PlanPoint best_split(const PlanTask& task, const Precision& precision, double post_bits,
                     double near) {
  const PlanProblem& problem = task.problem;
  if (split_is_closed(task, post_bits)) return closed_split(task, precision, post_bits);
  if (problem.free_params) {
    return problem.free_tokens ? searched_split(task, precision, post_bits, near)
                               : params_for(task, precision, post_bits);
  }
  const Limits& limits = problem.limits;
  constexpr double kRounding = 1 + 1e-9;
  if (limits.most_params_in_memory(precision, post_bits) * kRounding < problem.params) {
    return nowhere(precision, post_bits);
  }
  if (problem.free_tokens) return tokens_for(task, problem.params, precision, post_bits);
  if (limits.most_tokens(problem.params, precision, post_bits) * kRounding < problem.tokens) {
    return nowhere(precision, post_bits);
  }
  return point_at(task, problem.params, problem.tokens, precision, post_bits);
}

}  // namespace bitlaw
