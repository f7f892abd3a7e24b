#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "plan/constants.h"
#include "plan/forms.h"
#include "plan/optimum.h"
#include "plan/problem.h"

namespace bitlaw {
namespace {

constexpr double kStudiedLow = 3, kStudiedHigh = 16;  // bits that arXiv 2411.04330 trained at

Json point_json(const EffectiveForm& form, const CostModel& cost, const PlanPoint& point) {
  const bool unlimited = std::isinf(point.bits.weights);
  const auto shown = [&](double bits) { return unlimited ? kUnquantizedBits : bits; };
  const Bits paid = unlimited ? Bits{} : point.bits;
  Json out{{"N", point.params},
           {"D", point.tokens},
           {"P_w", shown(point.bits.weights)},
           {"P_a", shown(point.bits.activations)},
           {"P_kv", shown(point.bits.kv)},
           {"loss", point.loss},
           {"N_eff", point.params * std::exp(form.log_share(point.bits))},
           {"tokens_per_param", point.tokens / point.params},
           {"compute", 6 * point.params * point.tokens * cost.of(paid)}};
  if (point.post_bits > 0) {
    out["P_post"] = point.post_bits;
    out["delta"] = form.delta(point.params, point.tokens, point.bits, point.post_bits);
  }
  return out;
}

// The 5 % and 95 % points of each number over the draws, by linear interpolation.
Json interval(std::vector<double> values) {
  values.erase(
      std::remove_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); }),
      values.end());
  if (values.size() < 20) return nullptr;  // fewer cannot show a 5 % tail
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const size_t below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
  };
  return {{"low", at(0.05)}, {"high", at(0.95)}};
}

void add_optimum(Json& plan, const Constants& constants, const CostModel& cost,
                 const std::function<PlanPoint(const EffectiveForm&)>& solve) {
  const EffectiveForm form(*constants.law, constants.values);
  plan["optimum"] = point_json(form, cost, solve(form));
  if (constants.draws.empty()) return;
  std::vector<Json> outcomes;
  for (const std::vector<double>& draw : constants.draws) {
    const EffectiveForm drawn(*constants.law, draw);
    outcomes.push_back(point_json(drawn, cost, solve(drawn)));
  }
  for (const auto& [name, value] : plan["optimum"].items()) {
    std::vector<double> values;
    for (const Json& outcome : outcomes) {
      const auto found = outcome.find(name);
      if (found != outcome.end() && found->is_number()) values.push_back(found->get<double>());
    }
    Json range = interval(std::move(values));
    if (range.is_null()) continue;
    const double low = range["low"], high = range["high"];
    const bool fixed = high - low <= 1e-9 * std::fabs(high);  // by the request, not by the draws
    if (!fixed) plan["intervals"][name] = std::move(range);
  }
}

void add_critical_data(Json& plan, const Constants& constants, double params,
                       const std::vector<double>& post_bits) {
  plan["critical_data"] = Json::array();
  for (const double bits : post_bits) {
    const double tokens =
        EffectiveForm(*constants.law, constants.values).critical_tokens(params, bits);
    Json row{{"params", params}, {"bits", bits}};
    row["tokens"] = std::isfinite(tokens) ? Json(tokens) : Json(nullptr);
    row["tokens_per_param"] = std::isfinite(tokens) ? Json(tokens / params) : Json(nullptr);
    std::vector<double> drawn;
    for (const std::vector<double>& draw : constants.draws) {
      drawn.push_back(EffectiveForm(*constants.law, draw).critical_tokens(params, bits));
    }
    const Json range = interval(std::move(drawn));
    if (range.is_object()) row.update(range);
    plan["critical_data"].push_back(row);
  }
}

Json request_json(PlanRequest request) {
  Json out = Json::object();
  auto write = [&out](const char* name, const auto& value, const char*) { out[name] = value; };
  request.visit(write);
  return out;
}

void add_notes(Json& plan, const PlanProblem& problem, const Constants& constants) {
  Json& notes = plan["notes"] = Json::array();
  for (const std::string& note : constants.notes) notes.push_back(note);
  if (problem.ignores_bits) {
    notes.push_back(fmt::format("{} knows nothing of bits: P stays at {}.", constants.law->name,
                                problem.bits.weights));
  }
  if (!plan.contains("optimum")) return;
  const Json& best = plan["optimum"];
  for (const char* name : {"P_w", "P_a", "P_kv"}) {
    const double bits = best[name].get<double>();
    if (constants.law->uses_bits && (bits < kStudiedLow - 1e-9 || bits > kStudiedHigh + 1e-9)) {
      notes.push_back(fmt::format("{} = {:.2f} lies outside the {} to {} bits that were studied.",
                                  name, bits, kStudiedLow, kStudiedHigh));
    }
  }
}

Json error(const std::string& sentence) {
  return {{"error", sentence}};
}

}  // namespace

Json make_plan(const PlanRequest& request, const Json& fit) {
  Constants constants;
  std::string wrong = read_constants(request.law, request.constants, fit, constants);
  if (!wrong.empty()) return error(wrong);
  const Law& law = *constants.law;
  if (!EffectiveForm::fits(law)) {
    return error(fmt::format("{} is not of the form E + A/(N f)^alpha + B/D^beta, which plans need",
                             law.name));
  }
  PlanProblem problem;
  wrong = read_problem(request, law, problem);
  if (!wrong.empty()) return error(wrong);
  if ((request.critical_data || request.inference_budget > 0 || request.post_bits > 0) &&
      !law.has_delta) {
    return error(
        fmt::format("{} says nothing of quantization after training; plan with kumar", law.name));
  }

  Json plan{{"law", law.name}, {"source", constants.source}, {"request", request_json(request)}};
  plan["request"]["law"] = law.name;
  if (request.critical_data) {
    if (!(request.params > 0))
      return error("params: critical data is of a model of N parameters; give N");
    if (request.bits.empty()) return error("bits: give the list of P_post, for example 3,4,5,6");
    add_critical_data(plan, constants, request.params, request.bits);
  } else if (request.inference_budget > 0) {
    add_optimum(plan, constants, problem.cost, [&](const EffectiveForm& form) {
      return best_served(form, request.inference_budget, request.available_bits);
    });
  } else {
    add_optimum(plan, constants, problem.cost,
                [&](const EffectiveForm& form) { return best_training(form, problem); });
  }
  if (plan.contains("optimum")) {
    const double loss = plan["optimum"]["loss"].get<double>();
    if (std::isnan(loss)) return error("the constants give no loss: check those of the fit");
    if (std::isinf(loss)) {
      return error(
          "compute: the budget does not pay for this N and D at any precision allowed; raise it");
    }
  }
  add_notes(plan, problem, constants);
  return plan;
}

}  // namespace bitlaw
