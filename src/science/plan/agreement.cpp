// One request answered by several laws: what they agree on, and what they do not.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plan/constants.h"
#include "plan/plan.h"

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

std::vector<Answer> answers_of(const std::vector<Json>& plans, const std::vector<std::string>& who,
                               const Compared& quantity) {
  std::vector<Answer> out;
  for (size_t i = 0; i < plans.size(); ++i) {
    const Json& best = plans[i]["optimum"];
    if (!best.contains(quantity.name) || (quantity.bits && !plans[i]["knows_bits"].get<bool>())) {
      continue;
    }
    // A precision class such as W4A4 says nothing of keys and values.
    const std::string format = best.value("precision", std::string("KV"));
    if (std::string_view(quantity.name) == "P_kv" && format.find("KV") == std::string::npos)
      continue;
    Answer answer{who[i], best[quantity.name].get<double>()};
    answer.low = answer.high = answer.value;
    const auto intervals = plans[i].find("intervals");
    if (intervals != plans[i].end() && intervals->contains(quantity.name)) {
      const Json& range = (*intervals)[quantity.name];
      answer.low = range["low"], answer.high = range["high"], answer.has_interval = true;
    }
    out.push_back(std::move(answer));
  }
  return out;
}

// Names that tell the plans apart: the law's, numbered where it comes twice.
std::vector<std::string> names_of(const std::vector<Json>& plans) {
  std::vector<std::string> names;
  for (size_t i = 0; i < plans.size(); ++i) {
    std::string name = plans[i]["law"];
    const auto same = [&](const Json& plan) { return plan["law"] == name; };
    if (std::count_if(plans.begin(), plans.end(), same) > 1) {
      const auto end = plans.begin() + static_cast<long>(i) + 1;
      name += fmt::format(" #{}", std::count_if(plans.begin(), end, same));
    }
    names.push_back(std::move(name));
  }
  return names;
}

// The irreducible loss of a law's constants, however its authors write it; NaN where it has none.
double irreducible(const Json& plan) {
  const auto sensitivity = plan.find("sensitivity");
  if (sensitivity == plan.end()) return kUnknown;
  for (const auto& [name, logarithm] :
       {std::pair{"E", false}, {"e", false}, {"log E", true}, {"log_E", true}}) {
    if (const auto found = sensitivity->find(name); found != sensitivity->end()) {
      const double value = (*found)["value"].get<double>();
      return logarithm ? std::exp(value) : value;
    }
  }
  return kUnknown;
}

std::string loss_note(const std::vector<Json>& plans, const std::vector<std::string>& names,
                      bool same_table) {
  if (same_table) {
    return "All constants were fitted to the same table, so the losses can be compared.";
  }
  double low = 0, high = 0;
  std::string lowest, highest;
  for (size_t i = 0; i < plans.size(); ++i) {
    const double value = irreducible(plans[i]);
    if (!std::isfinite(value)) continue;
    if (lowest.empty() || value < low) low = value, lowest = names[i];
    if (highest.empty() || value > high) high = value, highest = names[i];
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

// The table that a fit was made from, "" where it does not say.
std::string table_of(const Json& fit) {
  const auto table = fit.is_object() ? fit.find("table") : fit.end();
  if (table == fit.end() || !table->is_object() || !table->contains("path")) return "";
  const Json rows = table->value("rows", Json(nullptr));
  return table->at("path").dump() + " " + rows.dump();
}

}  // namespace

Json compare_plans(const PlanRequest& request, const std::vector<Json>& fits, const Json& devices) {
  std::vector<std::string> wanted = request.laws;
  const bool all = std::find(wanted.begin(), wanted.end(), "all") != wanted.end();
  if (all) wanted = law_names();
  PlanRequest one = request;
  one.laws.clear();

  std::vector<Json> plans;
  Json skipped = Json::array();
  std::string first_error;
  const auto answer = [&](const std::string& law, const Json& fit) {
    one.law = law;
    // A set of constants is of one law; the others have their first.
    one.constants = law == request.law ? request.constants : "";
    if (all && fit.is_null()) {
      Constants constants;
      const std::string wrong = read_constants(law, one.constants, fit, constants);
      if (wrong.empty() && !constants.published) {
        skipped.push_back(
            {{"law", law}, {"why", "no complete set of constants is published; give a fit"}});
        return;
      }
    }
    Json plan = make_plan(one, fit, devices);
    if (plan.contains("error")) {
      const std::string why = plan["error"];
      if (first_error.empty()) first_error = why;
      skipped.push_back({{"law", law}, {"why", why}});
    } else if (!plan.contains("optimum") || !plan["optimum"].contains("loss")) {
      skipped.push_back({{"law", law}, {"why", "it answers a different question than the others"}});
    } else {
      plan.erase("request");
      plans.push_back(std::move(plan));
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
  if (plans.empty()) {
    return {
        {"error", first_error.empty() ? "laws: name some laws to compare, or all" : first_error}};
  }

  const std::vector<std::string> names = names_of(plans);
  Json agreement = Json::object();
  std::vector<std::string> agreed, split;
  for (const Compared& quantity : kCompared) {
    const std::vector<Answer> answers = answers_of(plans, names, quantity);
    if (answers.size() < 2) continue;
    bool same = true;
    for (const Answer& a : answers) {
      for (const Answer& b : answers) same = same && agree(a, b, quantity.bits);
    }
    const auto by_value = [](const Answer& a, const Answer& b) { return a.value < b.value; };
    const auto [low, high] = std::minmax_element(answers.begin(), answers.end(), by_value);
    Json& entry = agreement[quantity.name];
    entry = {{"agree", same},
             {"low", low->value},
             {"high", high->value},
             {"lowest", low->who},
             {"highest", high->who}};
    if (quantity.bits) {
      entry["apart"] = high->value - low->value;
    } else {
      entry["ratio"] = high->value / low->value;
    }
    (same ? agreed : split).emplace_back(quantity.meaning);
  }
  std::string verdict;
  if (plans.size() == 1) {
    verdict = fmt::format("Only {} answers this.", names[0]);
  } else if (split.empty()) {
    verdict = fmt::format("The laws agree on {}.", fmt::join(agreed, ", "));
  } else {
    verdict = fmt::format("The laws disagree on {}", fmt::join(split, ", "));
    verdict += agreed.empty() ? "." : fmt::format("; they agree on {}.", fmt::join(agreed, ", "));
  }
  const bool same_table = std::all_of(tables.begin(), tables.end(), [&](const std::string& table) {
    return !table.empty() && table == tables[0];
  });
  Json notes = Json::array();
  if (plans.size() > 1) notes.push_back(loss_note(plans, names, same_table));
  for (size_t i = 0; i < plans.size(); ++i) plans[i]["name"] = names[i];
  return {{"plans", plans},
          {"skipped", skipped},
          {"agreement", agreement},
          {"verdict", verdict},
          {"notes", notes}};
}

}  // namespace bitlaw
