#include "plan/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "base/statistics.h"
#include "plan/explain.h"
#include "plan/sensitivity.h"

namespace bitlaw {
namespace {

double number(const Numbers& numbers, const std::string& name) {
  for (const auto& [each, value] : numbers) {
    if (each == name) return value;
  }
  return kUnknown;
}

// The numbers of the main answer and of every draw's.
Json intervals_of(const Numbers& main, const std::vector<Numbers>& draws) {
  Json out = Json::object();
  for (const auto& [name, value] : main) {
    std::vector<double> values;
    for (const Numbers& draw : draws) values.push_back(number(draw, name));
    Json range = interval(std::move(values));
    if (range.is_null()) continue;
    const double low = range["low"], high = range["high"];
    const bool fixed = high - low <= 1e-9 * std::fabs(high);  // by the request, not by the draws
    if (!fixed) out[name] = std::move(range);
  }
  return out;
}

Json object_of(const Numbers& numbers) {
  Json out = Json::object();
  for (const auto& [name, value] : numbers) out[name] = value;
  return out;
}

}  // namespace

Planner::Planner(const PlanProblem& problem, const Constants& constants)
    : problem_(problem),
      constants_(constants),
      closed_(EffectiveForm::fits(*constants.law, constants.values)) {}

Numbers numbers_of(const PlanTask& task, const PlanPoint& point) {
  const PlanProblem& problem = task.problem;
  const bool unlimited = std::isinf(point.precision.bits.weights);
  const Precision paid = unlimited ? Precision{} : point.precision;
  Numbers out{{"N", point.params},
              {"D", point.tokens},
              {"tokens_per_param", point.tokens / point.params},
              {"P_w", paid.bits.weights},
              {"P_a", paid.bits.activations},
              {"P_kv", paid.bits.kv}};
  if (point.post_bits > 0) out.emplace_back("P_post", point.post_bits);
  const double share = task.predictor.share(point.params, point.tokens, point.precision);
  if (std::isfinite(share)) out.emplace_back("N_eff", point.params * share);
  const double products = 6 * point.params * point.tokens;
  out.emplace_back("compute", products * problem.cost.of(paid));
  const Limits& limits = problem.limits;
  const double served =
      2 * point.params * limits.serving.tokens * problem.cost.of_serving(paid, point.post_bits);
  if (limits.serving.tokens > 0) out.emplace_back("serving_compute", served);
  if (limits.serving.context > 0) {
    out.emplace_back("kv_bytes", limits.kv_bytes(point.params, paid));
  }
  for (const Use& use : limits.uses(point.params, point.tokens, paid, point.post_bits)) {
    if (use.name != "compute") out.emplace_back(use.name, use.used);
  }
  if (point.post_bits > 0) {
    out.emplace_back("delta", task.predictor.delta(point.params, point.tokens, point.precision,
                                                   point.post_bits));
  }
  out.emplace_back("loss", point.loss);
  return out;
}

std::string label_of(const PlanProblem& problem, const PlanPoint& point) {
  const Bits& bits = point.precision.bits;
  std::string label = point.precision.choice != nullptr ? point.precision.choice->name
                      : problem.free_bits.empty()       ? fmt::format("{:g} bits", bits.weights)
                                                  : fmt::format("{:g}/{:g}/{:g} bits", bits.weights,
                                                                bits.activations, bits.kv);
  if (problem.free_post) {
    label +=
        point.post_bits > 0 ? fmt::format(", {:g} afterwards", point.post_bits) : ", as trained";
  }
  return label;
}

Json interval(std::vector<double> values) {
  values.erase(
      std::remove_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); }),
      values.end());
  if (values.size() < 20) return nullptr;
  std::sort(values.begin(), values.end());
  return {{"low", percentile(values, 0.05)}, {"high", percentile(values, 0.95)}};
}

std::string add_optimum(Json& plan, const Planner& planner, Limits& limits) {
  const PlanProblem& problem = planner.problem();
  const Constants& constants = planner.constants();
  Numbers numbers;
  const Optimum main = planner.with(constants.values, [&](const PlanTask& task) {
    const Optimum best = best_plan(task);
    if (std::isfinite(best.point.loss)) numbers = numbers_of(task, best.point);
    return best;
  });
  if (!std::isfinite(main.point.loss)) {
    return std::isnan(main.point.loss) ? "the constants give no loss: check those of the fit"
                                       : why_nothing(problem);
  }
  plan["optimum"] = object_of(numbers);
  if (main.point.precision.choice != nullptr) {
    plan["optimum"]["precision"] = main.point.precision.choice->name;
  }
  const auto nearby = [&](const std::vector<double>& values, PlanPoint& point) {
    return planner.with(values, [&](const PlanTask& task) {
      point = best_plan_near(task, main);
      return numbers_of(task, point);
    });
  };

  std::vector<Numbers> draws;
  std::map<std::string, int> choices;
  for (const std::vector<double>& draw : constants.draws) {
    PlanPoint point;
    Numbers drawn = nearby(draw, point);
    if (!std::isfinite(point.loss)) continue;
    draws.push_back(std::move(drawn));
    ++choices[label_of(problem, point)];
  }
  if (!constants.draws.empty()) plan["intervals"] = intervals_of(numbers, draws);
  if (problem.discrete() && draws.size() >= 20) {
    for (const auto& [label, count] : choices) {
      plan["choices"][label] = static_cast<double>(count) / static_cast<double>(draws.size());
    }
  }
  plan["sensitivity"] = sensitivity(constants, [&](const std::vector<double>& values) {
    PlanPoint point;
    return nearby(values, point);
  });

  const std::vector<Use> uses =
      limits.uses(main.point.params, main.point.tokens, main.point.precision, main.point.post_bits);
  plan["budgets"] = Json::array();
  for (size_t k = 0; k < uses.size(); ++k) {
    // What one per cent more of it would buy.
    const bool memory = k == limits.compute.size();
    double& amount = memory ? limits.serving.memory_bytes : limits.compute[k].flop;
    const double before = amount;
    amount = 1.01 * before;
    PlanPoint point;
    nearby(constants.values, point);
    amount = before;
    plan["budgets"].push_back({{"name", uses[k].name},
                               {"amount", uses[k].amount},
                               {"used", uses[k].used},
                               {"binds", uses[k].binds()},
                               {"loss_per_percent", point.loss - main.point.loss}});
  }
  const std::string sentence = binding_sentence(problem, uses);
  if (!sentence.empty()) plan["binding"] = sentence;
  return "";
}

std::string add_served(Json& plan, const Planner& planner, double budget) {
  const Constants& constants = planner.constants();
  const auto solve = [&](const std::vector<double>& values) {
    return planner.with(
        values, [&](const PlanTask& task) { return numbers_of(task, best_served(task, budget)); });
  };
  const Numbers numbers = solve(constants.values);
  if (!std::isfinite(number(numbers, "loss"))) {
    return fmt::format(
        "inference_budget: by {}, more data never hurts, so no amount is best; give compute, "
        "memory_bytes and a free P_post",
        constants.law->name);
  }
  plan["optimum"] = object_of(numbers);
  std::vector<Numbers> draws;
  for (const std::vector<double>& draw : constants.draws) draws.push_back(solve(draw));
  if (!draws.empty()) plan["intervals"] = intervals_of(numbers, draws);
  plan["sensitivity"] = sensitivity(constants, solve);
  return "";
}

void add_critical_data(Json& plan, const Planner& planner, double params,
                       const std::vector<double>& post_bits) {
  const Constants& constants = planner.constants();
  plan["critical_data"] = Json::array();
  for (const double bits : post_bits) {
    const auto solve = [&](const std::vector<double>& values) {
      const double tokens = planner.with(values, [&](const PlanTask& task) {
        return task.predictor.critical_tokens(params, bits);
      });
      return Numbers{{"D", tokens}};
    };
    const double tokens = solve(constants.values)[0].second;
    Json row{{"params", params}, {"bits", bits}};
    const bool exists = std::isfinite(tokens);
    row["tokens"] = exists ? Json(tokens) : Json(nullptr);
    row["tokens_per_param"] = exists ? Json(tokens / params) : Json(nullptr);
    std::vector<double> drawn;
    for (const std::vector<double>& draw : constants.draws) drawn.push_back(solve(draw)[0].second);
    const Json range = interval(std::move(drawn));
    if (range.is_object()) row.update(range);
    if (exists) row["sensitivity"] = sensitivity(constants, solve);
    plan["critical_data"].push_back(row);
  }
}

}  // namespace bitlaw
