#include "plan/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/statistics.h"
#include "plan/explain.h"
#include "plan/sensitivity.h"

namespace bitlaw {
namespace {

// Of the main answer's numbers, over those of the draws.
std::map<std::string, PlanInterval> intervals_of(const Constants& constants,
                                                 const PlanOptimum& main,
                                                 const std::vector<PlanOptimum>& draws) {
  std::map<std::string, PlanInterval> out;
  for_each_number(main, [&](const char* name, double, const char*) {
    std::vector<double> values;
    for (const PlanOptimum& draw : draws) values.push_back(draw.find(name).value_or(kUnknown));
    const auto range = interval(std::move(values), drawn_level(constants, 0.9));
    if (!range) return;
    // By the request, not by the draws.
    const bool fixed = range->high - range->low <= 1e-9 * std::fabs(range->high);
    if (!fixed) out.emplace(name, *range);
  });
  return out;
}

}  // namespace

Planner::Planner(const PlanProblem& problem, const Constants& constants)
    : problem_(problem),
      constants_(constants),
      closed_(!problem.surroundings.fixed.is_known() &&
              EffectiveForm::fits(*constants.law, constants.values)) {}

PlanOptimum numbers_of(const PlanTask& task, const PlanPoint& point) {
  const PlanProblem& problem = task.problem;
  const Limits& limits = problem.limits;
  const bool unlimited = std::isinf(point.precision.bits.weights);
  const Precision paid = unlimited ? Precision{} : point.precision;
  PlanOptimum out;
  out.params = point.params;
  out.tokens = point.tokens;
  out.tokens_per_param = point.tokens / point.params;
  out.bits_weights = paid.bits.weights;
  out.bits_activations = paid.bits.activations;
  out.bits_kv = paid.bits.kv;
  const double share = task.predictor.share(point.params, point.tokens, point.precision);
  if (std::isfinite(share)) out.effective_params = point.params * share;
  out.compute = 6 * point.params * point.tokens * problem.cost.of(paid);
  if (limits.serving.tokens > 0) {
    out.serving_compute =
        2 * point.params * limits.serving.tokens * problem.cost.of_serving(paid, point.post_bits);
  }
  if (limits.serving.memory_bytes > 0 && limits.file.whole) {
    const ModelFile& file = limits.file;
    const double matrices = file.matrices(point.params);
    out.embedding_bytes = file.embedding_bytes(point.params);
    out.weight_bits = file.weight_bits(paid, point.post_bits, file.shape.width_of(matrices));
    out.total_params = file.shape.total(matrices);
  }
  if (limits.serving.context > 0) out.kv_bytes = limits.kv_bytes(point.params, paid);
  for (const Use& use : limits.uses(point.params, point.tokens, paid, point.post_bits)) {
    if (use.name == "gpu_hours") out.gpu_hours = use.used;
    if (use.name == "memory_bytes") out.memory_bytes = use.used;
  }
  if (point.post_bits > 0) {
    out.post_bits = point.post_bits;
    out.delta = task.predictor.delta(point.params, point.tokens, point.precision, point.post_bits);
  }
  out.loss = point.loss;
  return out;
}

Observation run_of(const PlanOptimum& best, const Planner& planner) {
  const PlanProblem& problem = planner.problem();
  return planner.with(planner.constants().values, [&](const PlanTask& task) {
    const PrecisionChoice* choice = nullptr;
    for (const PrecisionChoice& format : problem.formats) {
      if (format.name == best.precision) choice = &format;
    }
    if (choice == nullptr && problem.precision.choice != nullptr) choice = problem.precision.choice;
    const Precision precision{{best.bits_weights, best.bits_activations, best.bits_kv}, choice};
    Observation run =
        task.predictor.run(best.params, best.tokens, precision, best.post_bits.value_or(0));
    if (planner.constants().total) {
      run.params_total = best.params;
      run.params = problem.limits.file.matrices(best.params);
    }
    return run;
  });
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

std::optional<PlanInterval> interval(std::vector<double> values, double level) {
  values.erase(
      std::remove_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); }),
      values.end());
  if (values.size() < 20) return std::nullopt;
  std::sort(values.begin(), values.end());
  return PlanInterval{percentile(values, (1 - level) / 2), percentile(values, (1 + level) / 2)};
}

std::string add_optimum(Plan& plan, const Planner& planner, Limits& limits) {
  const PlanProblem& problem = planner.problem();
  const Constants& constants = planner.constants();
  PlanOptimum numbers;
  const Optimum main = planner.with(constants.values, [&](const PlanTask& task) {
    const Optimum best = best_plan(task);
    if (std::isfinite(best.point.loss)) numbers = numbers_of(task, best.point);
    return best;
  });
  if (!std::isfinite(main.point.loss)) {
    return std::isnan(main.point.loss) ? "the constants give no loss: check those of the fit"
                                       : planner.with(constants.values, why_nothing);
  }
  plan.optimum = numbers;
  if (main.point.precision.choice != nullptr) {
    plan.optimum->precision = main.point.precision.choice->name;
  }
  const auto nearby = [&](const std::vector<double>& values, PlanPoint& point) {
    return planner.with(values, [&](const PlanTask& task) {
      point = best_plan_near(task, main);
      return numbers_of(task, point);
    });
  };

  // An answer for every draw; those without a loss have no numbers.
  std::vector<PlanOptimum> draws;
  std::map<std::string, int> choices;
  int answered = 0;
  for (const std::vector<double>& draw : constants.draws) {
    PlanPoint point;
    const PlanOptimum drawn = nearby(draw, point);
    const bool found = std::isfinite(point.loss);
    draws.push_back(found ? drawn : PlanOptimum{});
    if (found) ++choices[label_of(problem, point)], ++answered;
  }
  if (!constants.draws.empty()) plan.intervals = intervals_of(constants, numbers, draws);
  if (problem.discrete() && answered >= 20) {
    for (const auto& [label, count] : choices)
      plan.choices[label] = static_cast<double>(count) / answered;
  }
  if (problem.with_sensitivity)
    plan.sensitivity = sensitivity(
        constants,
        [&](const std::vector<double>& values) {
          PlanPoint point;
          return nearby(values, point);
        },
        draws);

  const std::vector<Use> uses =
      limits.uses(main.point.params, main.point.tokens, main.point.precision, main.point.post_bits);
  plan.budgets.emplace();
  for (size_t k = 0; k < uses.size(); ++k) {
    // What one per cent more of it would buy.
    const bool memory = k == limits.compute.size();
    double& amount = memory ? limits.serving.memory_bytes : limits.compute[k].flop;
    const double before = amount;
    amount = 1.01 * before;
    PlanPoint point;
    nearby(constants.values, point);
    amount = before;
    plan.budgets->push_back({uses[k].name, uses[k].amount, uses[k].used, uses[k].binds(),
                             point.loss - main.point.loss});
  }
  plan.binding = binding_sentence(problem, uses);
  return "";
}

std::string add_served(Plan& plan, const Planner& planner, double budget) {
  const Constants& constants = planner.constants();
  const auto solve = [&](const std::vector<double>& values) {
    return planner.with(
        values, [&](const PlanTask& task) { return numbers_of(task, best_served(task, budget)); });
  };
  const PlanOptimum numbers = solve(constants.values);
  if (!std::isfinite(*numbers.loss)) {
    return fmt::format(
        "inference_budget: under {}, more data never hurts, so there is no optimum; give compute, "
        "memory_bytes and a free P_post",
        constants.law->name);
  }
  plan.optimum = numbers;
  std::vector<PlanOptimum> draws;
  for (const std::vector<double>& draw : constants.draws) draws.push_back(solve(draw));
  if (!draws.empty()) plan.intervals = intervals_of(constants, numbers, draws);
  if (planner.problem().with_sensitivity) plan.sensitivity = sensitivity(constants, solve, draws);
  return "";
}

void add_critical_data(Plan& plan, const Planner& planner, double params,
                       const std::vector<double>& post_bits) {
  const Constants& constants = planner.constants();
  for (const double bits : post_bits) {
    const auto solve = [&](const std::vector<double>& values) {
      PlanOptimum out;
      out.tokens = planner.with(values, [&](const PlanTask& task) {
        return task.predictor.critical_tokens(params, bits);
      });
      return out;
    };
    CriticalData& row = plan.critical_data.emplace_back(CriticalData{params, bits});
    const double tokens = solve(constants.values).tokens;
    if (std::isfinite(tokens)) row.tokens = tokens, row.tokens_per_param = tokens / params;
    std::vector<PlanOptimum> answers;
    std::vector<double> drawn;
    for (const std::vector<double>& draw : constants.draws) {
      answers.push_back(solve(draw));
      drawn.push_back(answers.back().tokens);
    }
    row.interval = interval(std::move(drawn), drawn_level(constants, 0.9));
    if (std::isfinite(tokens)) row.sensitivity = sensitivity(constants, solve, answers);
  }
}

}  // namespace bitlaw
