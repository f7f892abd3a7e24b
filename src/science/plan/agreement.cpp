// One request answered by several laws: what they agree on, and what they do not.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plan/plan.h"
#include "predict/constants.h"

namespace bitlaw {
namespace {

constexpr double kCloseRatio = 1.25;  // without intervals, amounts within this agree
constexpr double kCloseBits = 0.5;    // and bits within this

struct Compared {
  const char* name;
  const char* meaning;
  bool bits;
};
constexpr Compared kCompared[] = {{"N", "parameters", false},
                                  {"D", "tokens", false},
                                  {"tokens_per_param", "tokens per parameter", false},
                                  {"P_w", "bits of weights", true},
                                  {"P_a", "bits of activations", true},
                                  {"P_kv", "bits of keys and values", true},
                                  {"P_post", "bits after training", true}};

// One law's answer for one quantity.
struct Answer {
  std::string who;
  double value = 0, low = 0, high = 0;  // low = high = value without an interval
  bool has_interval = false;
};

bool agree(const Answer& a, const Answer& b, bool bits) {
  if (a.has_interval && b.has_interval) return a.low <= b.high && b.low <= a.high;
  if (bits) return std::fabs(a.value - b.value) <= kCloseBits;
  return std::max(a.value, b.value) <= kCloseRatio * std::min(a.value, b.value);
}

std::vector<Answer> answers_of(const std::vector<NamedPlan>& plans, const Compared& quantity) {
  std::vector<Answer> out;
  for (const auto& [name, plan] : plans) {
    const PlanOptimum& best = *plan.optimum;
    const auto value = best.find(quantity.name);
    if (!value || (quantity.bits && !plan.knows_bits)) continue;
    // A precision class such as W4A4 says nothing of keys and values.
    const bool of_kv = std::string_view(quantity.name) == "P_kv";
    if (of_kv && !best.precision.empty() && best.precision.find("KV") == std::string::npos) {
      continue;
    }
    Answer answer{name, *value, *value, *value};
    if (plan.intervals) {
      if (const auto range = plan.intervals->find(quantity.name); range != plan.intervals->end()) {
        answer.low = range->second.low, answer.high = range->second.high;
        answer.has_interval = true;
      }
    }
    out.push_back(std::move(answer));
  }
  return out;
}

// Distinct names for the plans: the law's, numbered if it occurs twice.
void name_plans(std::vector<NamedPlan>& plans) {
  for (auto each = plans.begin(); each != plans.end(); ++each) {
    const auto same = [&](const NamedPlan& other) { return other.plan.law == each->plan.law; };
    each->name = each->plan.law;
    if (std::count_if(plans.begin(), plans.end(), same) > 1) {
      each->name += fmt::format(" #{}", std::count_if(plans.begin(), each + 1, same));
    }
  }
}

// The irreducible loss of a law's constants, however its authors write it; NaN if it has none.
double irreducible(const Plan& plan) {
  for (const auto& [name, logarithm] :
       {std::pair{"E", false}, {"e", false}, {"log E", true}, {"log_E", true}}) {
    if (const auto found = plan.sensitivity.find(name); found != plan.sensitivity.end()) {
      const double value = found->second.value;
      return logarithm ? std::exp(value) : value;
    }
  }
  return kUnknown;
}

std::string loss_note(const std::vector<NamedPlan>& plans, bool same_table) {
  if (same_table) {
    return "All constants were fitted to the same table, so the losses can be compared.";
  }
  double low = 0, high = 0;
  std::string lowest, highest;
  for (const auto& [name, plan] : plans) {
    const double value = irreducible(plan);
    if (!std::isfinite(value)) continue;
    if (lowest.empty() || value < low) low = value, lowest = name;
    if (highest.empty() || value > high) high = value, highest = name;
  }
  std::string spread;
  if (!lowest.empty()) {
    spread = fmt::format("; their irreducible loss E goes from {:.3g} ({}) to {:.3g} ({})", low,
                         lowest, high, highest);
  }
  return fmt::format(
      "Losses are not compared: each law's constants come from their own text and vocabulary, so "
      "nats per token mean different things{}.",
      spread);
}

// .agreement and .verdict of .plans.
void find_agreement(PlanComparison& out) {
  std::vector<std::string> agreed, split;
  for (const Compared& quantity : kCompared) {
    const std::vector<Answer> answers = answers_of(out.plans, quantity);
    if (answers.size() < 2) continue;
    PlanAgreement& entry = out.agreement[quantity.name];
    entry.agree = true;
    for (const Answer& a : answers) {
      for (const Answer& b : answers) entry.agree = entry.agree && agree(a, b, quantity.bits);
    }
    const auto by_value = [](const Answer& a, const Answer& b) { return a.value < b.value; };
    const auto [low, high] = std::minmax_element(answers.begin(), answers.end(), by_value);
    entry.low = low->value, entry.lowest = low->who;
    entry.high = high->value, entry.highest = high->who;
    if (quantity.bits) {
      entry.apart = high->value - low->value;
    } else {
      entry.ratio = high->value / low->value;
    }
    (entry.agree ? agreed : split).emplace_back(quantity.meaning);
  }
  if (out.plans.size() == 1) {
    out.verdict = fmt::format("Only {} answers this.", out.plans[0].name);
  } else if (split.empty()) {
    out.verdict = fmt::format("The laws agree on {}.", fmt::join(agreed, ", "));
  } else {
    out.verdict = fmt::format("The laws disagree on {}", fmt::join(split, ", "));
    out.verdict +=
        agreed.empty() ? "." : fmt::format("; they agree on {}.", fmt::join(agreed, ", "));
  }
}

// The table that a fit was made from, "" if it does not say.
std::string table_of(const Json& fit) {
  const auto table = fit.is_object() ? fit.find("table") : fit.end();
  if (table == fit.end() || !table->is_object() || !table->contains("path")) return "";
  const Json rows = table->value("rows", Json(nullptr));
  return table->at("path").dump() + " " + rows.dump();
}

// Those values of inputs that a law takes: others are for others.
std::vector<std::string> inputs_for(const std::string& name, const Json& fit,
                                    const std::vector<std::string>& given) {
  Constants constants;
  std::vector<std::string> out;
  if (given.empty() || !read_constants(name, "", fit, constants).empty()) return out;
  for (const std::string& text : given) {
    const std::string input = text.substr(0, text.find('='));
    for (const LawInput& each : constants.law->inputs) {
      if (input != each.name && input != each.column) continue;
      out.push_back(text);
      break;
    }
  }
  return out;
}

}  // namespace

PlanComparison compare_plans(const PlanRequest& request, const std::vector<Json>& fits,
                             const Json& devices) {
  PlanComparison out;
  std::vector<std::string> wanted = request.laws;
  const bool all = std::find(wanted.begin(), wanted.end(), "all") != wanted.end();
  if (all) {
    wanted.clear();
    for (const Law& law : laws()) wanted.emplace_back(law.name);
  }
  PlanRequest one = request;
  one.laws.clear();

  std::string first_error;
  const auto answer = [&](const std::string& law, const Json& fit) {
    one.law = law;
    // A set of constants is of one law; the others have their first.
    one.constants = law == request.law ? request.constants : "";
    one.inputs = inputs_for(law, fit, request.inputs);
    if (all && fit.is_null()) {
      Constants constants;
      const std::string wrong = read_constants(law, one.constants, fit, constants);
      if (wrong.empty() && !constants.published) {
        out.skipped.push_back({law, "no complete set of constants is published; give a fit"});
        return;
      }
    }
    Plan plan = make_plan(one, fit, devices);
    if (!plan.error.empty()) {
      if (first_error.empty()) first_error = plan.error;
      out.skipped.push_back({law, plan.error});
    } else if (!plan.optimum || !plan.optimum->loss) {
      out.skipped.push_back({law, "it answers a different question than the others"});
    } else {
      out.plans.push_back({"", std::move(plan)});
    }
  };
  std::vector<std::string> fitted, tables;
  for (const Json& fit : fits) {
    const std::string law =
        fit.is_object() && fit.contains("law") && fit["law"].is_string() ? fit["law"] : Json("?");
    fitted.push_back(law);
    tables.push_back(table_of(fit));
    answer(law, fit);
  }
  for (const std::string& law : wanted) {
    if (std::find(fitted.begin(), fitted.end(), law) == fitted.end()) {
      tables.emplace_back();
      answer(law, nullptr);
    }
  }
  if (out.plans.empty()) {
    PlanComparison none;
    none.error = first_error.empty() ? "laws: name some laws to compare, or all" : first_error;
    return none;
  }
  name_plans(out.plans);
  find_agreement(out);
  const bool same_table = std::all_of(tables.begin(), tables.end(), [&](const std::string& table) {
    return !table.empty() && table == tables[0];
  });
  if (out.plans.size() > 1) out.notes.push_back(loss_note(out.plans, same_table));
  return out;
}

}  // namespace bitlaw
