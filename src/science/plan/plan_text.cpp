#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "plan/plan.h"

namespace bitlaw {
namespace {

// "2.31e+09" would be exact but is not how people say it.
std::string shown(const std::string& name, double value) {
  for (const char* amount :
       {"N", "D", "N_eff", "N_total", "tokens", "params", "tokens_per_param", "qat_tokens"}) {
    if (name == amount) return format_count(value);
  }
  if (name == "compute" || name == "serving_compute") return fmt::format("{:.3g} FLOP", value);
  if (name == "gpu_hours") return fmt::format("{:.4g} h", value);
  if (name.ends_with("_bytes")) return format_bytes(value);
  if (std::fabs(value) >= 1e4) return fmt::format("{:.3g}", value);
  return name.starts_with("P_") ? fmt::format("{:.2f}", value) : fmt::format("{:.4f}", value);
}

std::string optimum_text(const Plan& plan) {
  std::string out;
  if (!plan.optimum->precision.empty()) {
    out += fmt::format("  {:<17} {:>14}  {}\n", "precision", plan.optimum->precision,
                       "training format");
  }
  for_each_number(*plan.optimum, [&](const char* name, double value, const char* meaning) {
    out += fmt::format("  {:<17} {:>14}", name, shown(name, value));
    if (plan.intervals && plan.intervals->contains(name)) {
      const PlanInterval& range = plan.intervals->at(name);
      out += fmt::format("  [{}, {}]", shown(name, range.low), shown(name, range.high));
    }
    out += fmt::format("  {}\n", meaning);
  });
  if (plan.next_run && plan.next_run->run) {
    const PredictedInterval &mean = *plan.next_run->mean, &run = *plan.next_run->run;
    out += fmt::format("  {:<17} {:>14}  [{}, {}]  loss of one such run, if this is made\n", "run",
                       shown("loss", plan.next_run->loss), shown("loss", run.low),
                       shown("loss", run.high));
    if (!plan.next_run->beyond.empty()) {
      out += fmt::format(
          "  {:<17} {:>14}  [{}, {}]  mean loss of such runs, with the law's own error\n", "mean",
          shown("loss", plan.next_run->loss), shown("loss", mean.low), shown("loss", mean.high));
    }
  }
  return out;
}

std::string choices_text(const std::map<std::string, double>& choices) {
  std::vector<std::pair<double, std::string>> shares;
  for (const auto& [label, share] : choices) shares.emplace_back(share, label);
  std::sort(shares.rbegin(), shares.rend());
  std::vector<std::string> parts;
  for (const auto& [share, label] : shares) {
    parts.push_back(fmt::format("{} in {:.0f} %", label, 100 * share));
  }
  return fmt::format("Precision over the bootstrap draws: {}.\n", fmt::join(parts, "; "));
}

// "+0.83 %" of N and D, "-0.021" of bits and loss.
std::string moved(std::string_view name, double by) {
  if (std::fabs(by) < 5e-5) return "";
  if (name.starts_with("log_")) {
    const double percent = 100 * std::expm1(by);
    return std::fabs(percent) < 100 ? fmt::format("{:+.2f} %", percent)
                                    : fmt::format("times {:.2g}", std::exp(by));
  }
  if (std::fabs(by) >= 1e4) return fmt::format("{:+.3g}", by);
  return fmt::format("{:+.4f}", by);
}

// Texts of an entry by the name of what moves; "" where it hardly does.
std::vector<std::pair<std::string, std::string>> moves_text(PlanMoves moves) {
  std::vector<std::pair<std::string, std::string>> out;
  auto add = [&out](const char* name, double by) { out.emplace_back(name, moved(name, by)); };
  moves.visit(add);
  return out;
}

// How the answer changes with one standard error of each constant, if a fit's draws give it, else
// with 1 %.
std::string sensitivity_text(const PlanSensitivities& sensitivities) {
  const bool errors = std::any_of(sensitivities.begin(), sensitivities.end(),
                                  [](const auto& each) { return each.second.standard_error != 0; });
  struct Row {
    std::string constant;
    std::vector<std::pair<std::string, std::string>> moves;
  };
  std::vector<Row> rows;  // of constants that move something
  std::vector<bool> used(moves_text({}).size(), false);
  for (const auto& [constant, each] : sensitivities) {
    const auto& moves = errors ? each.per_standard_error : each.per_percent;
    if (!moves) continue;
    Row row{constant, moves_text(*moves)};
    bool any = false;
    for (size_t c = 0; c < used.size(); ++c) {
      if (row.moves[c].second.empty()) continue;
      used[c] = any = true;
    }
    if (any) rows.push_back(std::move(row));
  }
  if (rows.empty()) return "";
  std::string out = fmt::format("  {:<17}", errors ? "1 standard error" : "1 % more of");
  for (size_t c = 0; c < used.size(); ++c) {
    const std::string_view name = rows[0].moves[c].first;
    if (used[c]) out += fmt::format(" {:>10}", name.starts_with("log_") ? name.substr(4) : name);
  }
  out += "\n";
  for (const Row& row : rows) {
    out += fmt::format("  {:<17}", row.constant);
    for (size_t c = 0; c < used.size(); ++c) {
      const std::string& text = row.moves[c].second;
      if (used[c]) out += fmt::format(" {:>10}", text.empty() ? "." : text);
    }
    out += "\n";
  }
  return out;
}

std::string critical_text(const std::vector<CriticalData>& rows) {
  const auto count = [](double value) { return std::isnan(value) ? "none" : format_count(value); };
  std::string out =
      fmt::format("  {:>10} {:>6} {:>14} {:>18}\n", "N", "P_post", "critical D", "D per parameter");
  for (const CriticalData& row : rows) {
    out +=
        fmt::format("  {:>10} {:>6} {:>14} {:>18}", format_count(row.params),
                    fmt::format("{:g}", row.bits), count(row.tokens), count(row.tokens_per_param));
    if (row.interval) {
      out += fmt::format("  [{}, {}]", format_count(row.interval->low),
                         format_count(row.interval->high));
    }
    out += "\n";
  }
  return out;
}

// The notes of all plans, each once, after the names of the laws that it is of.
std::string notes_text(const std::vector<NamedPlan>& plans) {
  std::vector<std::pair<std::string, std::vector<std::string>>> notes;
  for (const auto& [name, plan] : plans) {
    for (const std::string& text : plan.notes) {
      const auto same = [&](const auto& known) { return known.first == text; };
      auto found = std::find_if(notes.begin(), notes.end(), same);
      if (found == notes.end()) found = notes.insert(notes.end(), {text, {}});
      found->second.push_back(name);
    }
  }
  std::string out;
  for (const auto& [note, names] : notes) {
    out += names.size() == plans.size() ? note + "\n"
                                        : fmt::format("{}: {}\n", fmt::join(names, ", "), note);
  }
  return out;
}

}  // namespace

std::string plan_text(const Plan& plan) {
  if (!plan.error.empty()) return plan.error + "\n";
  std::string out = fmt::format("{} ({})\n", plan.law, plan.source);
  if (plan.optimum) out += optimum_text(plan);
  if (!plan.critical_data.empty()) out += critical_text(plan.critical_data);
  if (!plan.binding.empty()) out += plan.binding + "\n";
  if (!plan.choices.empty()) out += choices_text(plan.choices);
  out += sensitivity_text(plan.sensitivity);
  if (!plan.convention.empty()) out += plan.convention + "\n";
  for (const std::string& note : plan.notes) out += note + "\n";
  return out;
}

std::string plan_text(const PlanComparison& comparison) {
  if (!comparison.error.empty()) return comparison.error + "\n";
  std::string out = fmt::format("  {:<20} {:>9} {:>9} {:>9} {:>6} {:>6} {:>6} {:>9}  {}\n", "law",
                                "N", "D", "D/N", "P_w", "P_a", "P_kv", "loss", "precision");
  for (const auto& [name, plan] : comparison.plans) {
    const PlanOptimum& best = *plan.optimum;
    out += fmt::format("  {:<20} {:>9} {:>9} {:>9} {:>6} {:>6} {:>6} {:>9}  {}\n", name,
                       shown("N", best.params), shown("D", best.tokens),
                       shown("tokens_per_param", best.tokens_per_param),
                       shown("P_w", best.bits_weights), shown("P_a", best.bits_activations),
                       shown("P_kv", best.bits_kv), shown("loss", *best.loss), best.precision);
  }
  out += comparison.verdict + "\n";
  for (const auto& [name, entry] : comparison.agreement) {
    if (entry.agree) continue;
    out += fmt::format("  {:<17} from {} ({}) to {} ({})\n", name, shown(name, entry.low),
                       entry.lowest, shown(name, entry.high), entry.highest);
  }
  for (const std::string& note : comparison.notes) out += note + "\n";
  out += notes_text(comparison.plans);
  for (const SkippedLaw& each : comparison.skipped) {
    out += fmt::format("Not answered by {}: {}\n", each.law, each.why);
  }
  return out;
}

}  // namespace bitlaw
