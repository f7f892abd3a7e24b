// A plan as a document.
#include "plan/plan.h"

namespace bitlaw {
namespace {

Json optimum_json(const PlanOptimum& optimum) {
  Json out = Json::object();
  for_each_number(optimum,
                  [&out](const char* name, double value, const char*) { out[name] = value; });
  if (!optimum.precision.empty()) out["precision"] = optimum.precision;
  return out;
}

Json interval_json(const PlanInterval& interval) {
  return {{"low", interval.low}, {"high", interval.high}};
}

// Without what does not move.
Json moves_json(PlanMoves moves) {
  Json out = Json::object();
  auto write = [&out](const char* name, double by) {
    if (by != 0) out[name] = by;
  };
  moves.visit(write);
  return out;
}

Json sensitivity_json(const PlanSensitivities& sensitivities) {
  Json out = Json::object();
  for (const auto& [constant, each] : sensitivities) {
    Json& entry = out[constant] = {{"value", each.value}};
    if (each.standard_error != 0) entry["standard_error"] = each.standard_error;
    if (each.per_percent) entry["per_percent"] = moves_json(*each.per_percent);
    if (each.per_standard_error) {
      entry["per_standard_error"] = moves_json(*each.per_standard_error);
    }
  }
  return out;
}

Json budgets_json(const std::vector<PlanBudget>& budgets) {
  Json out = Json::array();
  for (const PlanBudget& budget : budgets) {
    out.push_back({{"name", budget.name},
                   {"amount", budget.amount},
                   {"used", budget.used},
                   {"binds", budget.binds},
                   {"loss_per_percent", budget.loss_per_percent}});
  }
  return out;
}

Json critical_json(const std::vector<CriticalData>& rows) {
  Json out = Json::array();
  for (const CriticalData& row : rows) {
    Json entry{{"params", row.params},
               {"bits", row.bits},
               {"tokens", row.tokens},
               {"tokens_per_param", row.tokens_per_param}};
    if (row.interval) entry.update(interval_json(*row.interval));
    if (!row.sensitivity.empty()) entry["sensitivity"] = sensitivity_json(row.sensitivity);
    out.push_back(std::move(entry));
  }
  return out;
}

// All but the request.
Json answer_json(const Plan& plan) {
  Json out{{"law", plan.law},
           {"source", plan.source},
           {"knows_bits", plan.knows_bits},
           {"convention", plan.convention},
           {"notes", plan.notes},
           {"evaluations", plan.evaluations}};
  if (plan.optimum) out["optimum"] = optimum_json(*plan.optimum);
  if (plan.intervals) {
    Json& intervals = out["intervals"] = Json::object();
    for (const auto& [name, each] : *plan.intervals) intervals[name] = interval_json(each);
  }
  if (plan.next_run) out["run"] = prediction_json(*plan.next_run);
  if (!plan.choices.empty()) out["choices"] = plan.choices;
  if (!plan.sensitivity.empty()) out["sensitivity"] = sensitivity_json(plan.sensitivity);
  if (plan.budgets) out["budgets"] = budgets_json(*plan.budgets);
  if (!plan.binding.empty()) out["binding"] = plan.binding;
  if (!plan.critical_data.empty()) out["critical_data"] = critical_json(plan.critical_data);
  return out;
}

}  // namespace

Json request_json(PlanRequest request) {
  Json out = Json::object();
  auto write = [&out](const char* name, const auto& value, const char*) { out[name] = value; };
  request.visit(write);
  return out;
}

Json plan_json(const Plan& plan) {
  if (!plan.error.empty()) return {{"error", plan.error}};
  Json out = answer_json(plan);
  out["request"] = request_json(plan.request);
  return out;
}

Json plan_json(const PlanComparison& comparison) {
  if (!comparison.error.empty()) return {{"error", comparison.error}};
  Json out{{"plans", Json::array()},
           {"skipped", Json::array()},
           {"agreement", Json::object()},
           {"verdict", comparison.verdict},
           {"notes", comparison.notes}};
  for (const auto& [name, plan] : comparison.plans) {
    out["plans"].push_back(answer_json(plan));
    out["plans"].back()["name"] = name;
  }
  for (const SkippedLaw& each : comparison.skipped) {
    out["skipped"].push_back({{"law", each.law}, {"why", each.why}});
  }
  for (const auto& [name, each] : comparison.agreement) {
    Json& entry = out["agreement"][name] = {{"agree", each.agree},
                                            {"low", each.low},
                                            {"high", each.high},
                                            {"lowest", each.lowest},
                                            {"highest", each.highest}};
    if (each.ratio) entry["ratio"] = *each.ratio;
    if (each.apart) entry["apart"] = *each.apart;
  }
  return out;
}

}  // namespace bitlaw
