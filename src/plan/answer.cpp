#include "plan/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "base/text.h"
#include "plan/sensitivity.h"

namespace bitlaw {
namespace {

constexpr double kSecondsPerHour = 3600;

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

// The cheapest precision that a problem allows, and what it is quantized to.
PlanPoint cheapest(const PlanProblem& problem) {
  PlanPoint point{kUnknown, kUnknown, problem.precision, problem.post_bits};
  double fewest = kFewestBits;
  if (!problem.available.empty()) {
    fewest = *std::min_element(problem.available.begin(), problem.available.end());
  }
  if (problem.bits_are_free() && !problem.formats.empty()) {
    for (const NamedPrecision& format : problem.formats) {
      if (&format == &problem.formats[0] || format.bits.weights < point.precision.bits.weights) {
        point.precision = {format.bits, &format};
      }
    }
  } else {
    if (problem.free_tied) point.precision.bits = Bits::all(fewest);
    for (const auto part : problem.free_bits) point.precision.bits.*part = fewest;
  }
  if (problem.free_post) point.post_bits = fewest;
  return point;
}

// Why no point at all is allowed.
std::string why_nothing(const PlanProblem& problem) {
  const Limits& limits = problem.limits;
  const PlanPoint cheap = cheapest(problem);
  const double memory = limits.serving.memory_bytes;
  if (memory > 0) {
    const double params = problem.free_params ? 1 : problem.params;
    const double needed = limits.memory_bytes(params, cheap.precision, cheap.post_bits);
    if (needed > memory) {
      return fmt::format(
          "memory_bytes: {} do not hold {}; that takes {} (KV cache {}) even at the fewest bits "
          "allowed",
          format_bytes(memory),
          problem.free_params ? "a model of any size"
                              : fmt::format("{} parameters", format_count(problem.params)),
          format_bytes(needed), format_bytes(limits.kv_bytes(params, cheap.precision)));
    }
  }
  if (limits.compute.empty()) {
    return "compute: more data lowers the loss without end here; give a training budget in FLOP "
           "(or "
           "gpu_hours)";
  }
  const double params = problem.free_params ? 1 : problem.params;
  const std::string name = limits.compute.front().name;
  if (limits.serving.tokens > 0 &&
      !(limits.most_tokens(params, cheap.precision, cheap.post_bits) >= 1)) {
    return fmt::format(
        "serve_tokens: serving {} tokens alone costs more than the {} given; raise that, or lower "
        "serve_tokens",
        format_count(limits.serving.tokens), name);
  }
  return fmt::format(
      "{}: the budget does not pay for this N and D at any precision allowed; raise it", name);
}

std::string amount(const std::string& name, double value) {
  if (name == "memory_bytes") return format_bytes(value);
  if (name == "gpu_hours") return fmt::format("{:.4g} GPU hours", value);
  return fmt::format("{:.4g} FLOP", value);
}

// What limits the answer, as a sentence.
std::string binding_sentence(const PlanProblem& problem, const std::vector<Use>& uses) {
  std::vector<std::string> binding, spare;
  for (const Use& use : uses) {
    if (use.binds()) {
      binding.push_back(fmt::format("{} ({})", use.name, amount(use.name, use.amount)));
    } else {
      spare.push_back(
          fmt::format("{} has {:.0f} % to spare", use.name, 100 * (1 - use.used / use.amount)));
    }
  }
  if (uses.empty()) return "";
  std::string out;
  if (!binding.empty()) {
    out = fmt::format("{} {} the answer", fmt::join(binding, " and "),
                      binding.size() == 1 ? "limits" : "limit");
  } else if (problem.free_tokens) {
    out = "No budget limits the answer: more training would make the quantized model worse";
  } else {
    out = "No budget limits the answer";
  }
  if (!spare.empty()) out += fmt::format("; {}", fmt::join(spare, ", "));
  return out + ".";
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
  if (task.form != nullptr) {
    out.emplace_back("N_eff", point.params * std::exp(task.form->log_share(point.precision.bits)));
  }
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
  std::string label = point.precision.format != nullptr ? point.precision.format->name
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
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const size_t below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
  };
  return {{"low", at(0.05)}, {"high", at(0.95)}};
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
  if (main.point.precision.format != nullptr) {
    plan["optimum"]["precision"] = main.point.precision.format->name;
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
        "inference_budget: by {} more data never hurts, so no amount is best; give "
        "compute, memory_bytes and a free P_post",
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
        return critical_tokens(task, params, {Bits::all(kUnlimitedBits)}, bits);
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
