// The approaches as a document and as tables for people.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "approach/approach.h"
#include "base/json_fields.h"

namespace bitlaw {
namespace {

Json estimate_json(const Estimate& estimate) {
  return {{"value", json_number(estimate.value)},
          {"low", json_number(estimate.low)},
          {"high", json_number(estimate.high)}};
}

Json optima_json(const Optima& optima) {
  Json out{{"missing", optima.known() ? Json(nullptr) : Json(optima.missing)},
           {"a", estimate_json(optima.a)},
           {"b", estimate_json(optima.b)},
           {"least_compute", json_number(optima.least_compute)},
           {"most_compute", json_number(optima.most_compute)},
           {"at", Json::array()},
           {"notes", optima.notes}};
  if (!optima.known()) return out;
  for (const OptimumAt& at : optima.at) {
    out["at"].push_back({{"compute", at.compute},
                         {"N", estimate_json(at.params)},
                         {"D", estimate_json(at.tokens)},
                         {"beyond", at.beyond}});
  }
  return out;
}

Json isoflop_json(const IsoflopFit& fit) {
  Json out = optima_json(fit.optima);
  out["scatter"] = json_number(fit.scatter);
  out["freedom"] = fit.freedom;
  out["excess"] = fit.excess;
  out["loose_runs"] = fit.loose_runs;
  out["bias"] = {{"a", json_number(fit.bias.a)},
                 {"log_N", json_number(fit.bias.params)},
                 {"least_log_N", json_number(fit.bias.least)},
                 {"most_log_N", json_number(fit.bias.most)}};
  out["budgets"] = Json::array();
  for (const IsoflopBudget& budget : fit.budgets) {
    Json& line = out["budgets"].emplace_back(
        Json{{"C", budget.compute},
             {"least_C", budget.least_compute},
             {"most_C", budget.most_compute},
             {"runs", budget.runs.size()},
             {"sizes", budget.sizes},
             {"least_N", budget.least_params},
             {"most_N", budget.most_params},
             {"missing", budget.has_minimum() ? Json(nullptr) : Json(budget.missing)},
             {"N", estimate_json(budget.params)},
             {"D", estimate_json(budget.tokens)},
             {"loss", json_number(budget.loss.value)},
             {"low_beyond", budget.low_beyond},
             {"high_beyond", budget.high_beyond}});
    if (!budget.parabola) continue;
    const Eigen::Vector3d& c = budget.parabola->coefficients;
    const double scale = budget.mean_loss;
    line["parabola"] = {{"log_N", budget.parabola->middle},
                        {"loss", scale * c[0]},
                        {"slope", scale * c[1]},
                        {"curvature", scale * c[2]}};
  }
  return out;
}

Json envelope_json(const EnvelopeFit& fit) {
  Json out = optima_json(fit.optima);
  out["curves"] = fit.curves;
  out["sizes"] = fit.sizes;
  out["crossings"] = Json::array();
  for (const Crossing& each : fit.crossings) {
    out["crossings"].push_back(
        {{"C", each.compute}, {"smaller_N", each.smaller}, {"larger_N", each.larger}});
  }
  return out;
}

bool is_asked(const Approaches& all, const char* name) {
  return std::find(all.asked.begin(), all.asked.end(), name) != all.asked.end();
}

std::string shown(const Estimate& estimate, const char* format) {
  if (!std::isfinite(estimate.value)) return "-";
  std::string out = fmt::format(fmt::runtime(format), estimate.value);
  if (std::isfinite(estimate.low)) {
    out += fmt::format(" [{}, {}]", fmt::format(fmt::runtime(format), estimate.low),
                       fmt::format(fmt::runtime(format), estimate.high));
  }
  return out;
}

std::string isoflop_text(const IsoflopFit& fit) {
  if (fit.budgets.empty()) return "";
  std::string out = "isoFLOP budgets\n";
  out += fmt::format("  {:<10} {:>4} {:>19}  {:<28} {:<28} {}\n", "C", "runs", "N trained", "N_opt",
                     "D_opt", "loss");
  for (const IsoflopBudget& budget : fit.budgets) {
    out += fmt::format("  {:<10.3g} {:>4} {:>19}  ", budget.compute, budget.runs.size(),
                       fmt::format("{:.3g} to {:.3g}", budget.least_params, budget.most_params));
    if (!budget.has_minimum()) {
      out += budget.missing + "\n";
      continue;
    }
    out += fmt::format(
        "{:<28} {:<28} {:.4f}{}\n", shown(budget.params, "{:.3g}"), shown(budget.tokens, "{:.3g}"),
        budget.loss.value,
        budget.low_beyond || budget.high_beyond ? "  (the interval leaves the sizes trained)" : "");
  }
  if (fit.loose_runs > 0)
    out += fmt::format("  {} run{} in budgets of fewer than three sizes, which give no curve\n",
                       fit.loose_runs, fit.loose_runs == 1 ? " is" : "s are");
  if (std::isfinite(fit.scatter))
    out += fmt::format("  runs scatter around the parabolas by {:.3f} % ({} degrees of freedom)\n",
                       100 * fit.scatter, fit.freedom);
  if (fit.excess > 0)
    out += fmt::format(
        "  N_opt scatters around its power law by {:.1f} % more than these errors; the intervals "
        "include that\n",
        100 * std::expm1(fit.excess));
  const ParabolaBias& bias = fit.bias;
  if (std::isfinite(bias.params)) {
    out += fmt::format(
        "  through the losses of the fitted law such parabolas give N_opt {:+.1f} % off ({:+.1f} "
        "to "
        "{:+.1f} % by budget){}; the intervals hold both\n",
        100 * std::expm1(bias.params), 100 * std::expm1(bias.least), 100 * std::expm1(bias.most),
        std::isfinite(bias.a) ? fmt::format(" and a {:+.3f} off", bias.a) : "");
  }
  return out;
}

std::string envelope_text(const EnvelopeFit& fit) {
  if (fit.crossings.empty()) return "";
  std::string out =
      fmt::format("Envelope of {} learning curves of {} sizes\n", fit.curves, fit.sizes);
  for (const Crossing& each : fit.crossings)
    out += fmt::format("  at {:<10.3g} N = {:.3g} becomes better than {:.3g}\n", each.compute,
                       each.larger, each.smaller);
  return out;
}

struct NamedOptima {
  const char* name;
  const Optima* optima;
};

std::vector<NamedOptima> named(const Approaches& all) {
  std::vector<NamedOptima> out;
  if (is_asked(all, "isoflop")) out.push_back({"isoflop", &all.isoflop.optima});
  if (is_asked(all, "envelope")) out.push_back({"envelope", &all.envelope.optima});
  if (is_asked(all, "parametric")) out.push_back({"parametric", &all.parametric});
  return out;
}

}  // namespace

std::string missing_text(const Approaches& all) {
  std::vector<std::string> words;
  for (const NamedOptima& each : named(all)) {
    if (!each.optima->known())
      words.push_back(fmt::format("{}: {}", each.name, each.optima->missing));
  }
  return fmt::format("--approach {}", fmt::join(words, "; "));
}

Json approaches_json(const Approaches& all) {
  Json out{{"asked", all.asked},
           {"compute_over_ND", all.compute_ratio},
           {"notes", all.notes},
           {"agreement", all.verdicts}};
  if (is_asked(all, "isoflop")) out["isoflop"] = isoflop_json(all.isoflop);
  if (is_asked(all, "envelope")) out["envelope"] = envelope_json(all.envelope);
  if (is_asked(all, "parametric")) {
    out["parametric"] = optima_json(all.parametric);
    out["parametric"]["law"] = all.parametric_law;
  }
  return out;
}

std::string approaches_text(const Approaches& all) {
  std::string out;
  if (is_asked(all, "isoflop")) out += isoflop_text(all.isoflop);
  if (is_asked(all, "envelope")) out += envelope_text(all.envelope);
  out += fmt::format("{}{:<11} {:<24} {:<24} {:<10} {:<28} {}\n", out.empty() ? "" : "\n",
                     "approach", "N_opt ~ C^a: a", "D_opt ~ C^b: b", "at C", "N_opt", "D_opt");
  for (const NamedOptima& each : named(all)) {
    if (!each.optima->known()) {
      out += fmt::format("{:<11} none: {}\n", each.name, each.optima->missing);
      continue;
    }
    const char* name = each.name;
    std::string a = shown(each.optima->a, "{:.3f}"), b = shown(each.optima->b, "{:.3f}");
    for (const OptimumAt& at : each.optima->at) {
      out += fmt::format(
          "{:<11} {:<24} {:<24} {:<10.3g} {:<28} {}{}\n", name, a, b, at.compute,
          shown(at.params, "{:.3g}"), shown(at.tokens, "{:.3g}"),
          at.beyond > 1.005 ? fmt::format("  (extrapolated {:.3g} times)", at.beyond) : "");
      name = "", a = b = "";
    }
  }
  for (const NamedOptima& each : named(all)) {
    for (const std::string& note : each.optima->notes)
      out += fmt::format("{}: {}\n", each.name, note);
  }
  for (const std::string& note : all.notes) out += note + "\n";
  for (const std::string& each : all.verdicts) out += each + "\n";
  return out;
}

}  // namespace bitlaw
