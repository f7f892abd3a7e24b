#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "plan/plan.h"

namespace bitlaw {
namespace {

// "2.31e+09" would be exact but is not how people say it.
std::string shown(const std::string& name, double value) {
  for (const char* amount :
       {"N", "D", "N_eff", "tokens", "params", "tokens_per_param", "qat_tokens"}) {
    if (name == amount) return format_count(value);
  }
  if (name == "compute" || name == "serving_compute") return fmt::format("{:.3g} FLOP", value);
  if (name == "gpu_hours") return fmt::format("{:.4g} h", value);
  if (name == "memory_bytes" || name == "kv_bytes") return format_bytes(value);
  if (std::fabs(value) >= 1e4) return fmt::format("{:.3g}", value);
  return name.starts_with("P_") ? fmt::format("{:.2f}", value) : fmt::format("{:.4f}", value);
}

struct Line {
  const char* name;
  const char* meaning;
};

constexpr Line kLines[] = {
    {"N", "parameters"},
    {"D", "training tokens"},
    {"tokens_per_param", "tokens per parameter"},
    {"P_w", "bits of weights"},
    {"P_a", "bits of activations"},
    {"P_kv", "bits of keys and values"},
    {"P_post", "bits of weights after training"},
    {"N_eff", "effective parameters"},
    {"compute", "training cost"},
    {"serving_compute", "cost of serving"},
    {"gpu_hours", "device time, all told"},
    {"memory_bytes", "memory when serving"},
    {"kv_bytes", "of which keys and values"},
    {"qat_share", "best share of the tokens with quantization"},
    {"qat_tokens", "tokens with quantization"},
    {"delta", "loss added by quantization after training, nats"},
    {"loss", "predicted loss, nats per token"},
};

std::string number(const Json& row, const char* name) {
  const auto found = row.find(name);
  return found == row.end() || !found->is_number() ? "none" : shown(name, found->get<double>());
}

std::string optimum_text(const Json& plan) {
  const Json& best = plan["optimum"];
  std::string out;
  if (best.contains("precision")) {
    out += fmt::format("  {:<17} {:>14}  {}\n", "precision", best["precision"].get<std::string>(),
                       "format while training");
  }
  const auto intervals = plan.find("intervals");
  for (const Line& line : kLines) {
    if (!best.contains(line.name)) continue;
    out += fmt::format("  {:<17} {:>14}", line.name, number(best, line.name));
    if (intervals != plan.end() && intervals->contains(line.name)) {
      const Json& range = (*intervals)[line.name];
      out += fmt::format("  [{}, {}]", shown(line.name, range["low"].get<double>()),
                         shown(line.name, range["high"].get<double>()));
    }
    out += fmt::format("  {}\n", line.meaning);
  }
  return out;
}

std::string choices_text(const Json& choices) {
  std::vector<std::pair<double, std::string>> shares;
  for (const auto& [label, share] : choices.items())
    shares.emplace_back(share.get<double>(), label);
  std::sort(shares.rbegin(), shares.rend());
  std::vector<std::string> parts;
  for (const auto& [share, label] : shares) {
    parts.push_back(fmt::format("{} in {:.0f} %", label, 100 * share));
  }
  return fmt::format("Precision over the bootstrap draws: {}.\n", fmt::join(parts, "; "));
}

// "+0.83 %" of N and D, "-0.021" of bits and loss.
std::string moved(const Json& change, const char* name) {
  const auto found = change.find(name);
  if (found == change.end() || !found->is_number()) return "";
  const double value = found->get<double>();
  const bool logarithm = std::string_view(name).starts_with("log_");
  if (std::fabs(value) < 5e-5) return "";
  if (logarithm) return fmt::format("{:+.2f} %", 100 * std::expm1(value));
  if (std::fabs(value) >= 1e4) return fmt::format("{:+.3g}", value);
  return fmt::format("{:+.4f}", value);
}

// How the answer moves with one standard error of each constant, where a fit's draws tell it, else
// with 1 %.
std::string sensitivity_text(const Json& sensitivity) {
  bool errors = false;
  for (const Json& entry : sensitivity) errors = errors || entry.contains("standard_error");
  const char* const key = errors ? "per_standard_error" : "per_percent";
  constexpr const char* kColumns[] = {"log_N", "log_D", "P_w", "P_a", "P_kv", "P_post", "loss"};
  std::string rows;
  std::vector<bool> used(std::size(kColumns), false);
  for (const auto& [name, entry] : sensitivity.items()) {
    if (!entry.contains(key)) continue;
    for (size_t c = 0; c < std::size(kColumns); ++c) {
      if (!moved(entry[key], kColumns[c]).empty()) used[c] = true;
    }
  }
  std::string out = fmt::format("  {:<17}", errors ? "1 standard error" : "1 % more of");
  for (size_t c = 0; c < std::size(kColumns); ++c) {
    const std::string_view name = kColumns[c];
    if (used[c]) out += fmt::format(" {:>10}", name.starts_with("log_") ? name.substr(4) : name);
  }
  for (const auto& [name, entry] : sensitivity.items()) {
    if (!entry.contains(key)) continue;
    std::string row;
    bool any = false;
    for (size_t c = 0; c < std::size(kColumns); ++c) {
      if (!used[c]) continue;
      const std::string text = moved(entry[key], kColumns[c]);
      any = any || !text.empty();
      row += fmt::format(" {:>10}", text.empty() ? "." : text);
    }
    if (any) rows += fmt::format("  {:<17}{}\n", name, row);
  }
  return rows.empty() ? "" : out + "\n" + rows;
}

std::string critical_text(const Json& rows) {
  std::string out =
      fmt::format("  {:>10} {:>6} {:>14} {:>18}\n", "N", "P_post", "critical D", "D per parameter");
  for (const Json& row : rows) {
    out += fmt::format("  {:>10} {:>6} {:>14} {:>18}", number(row, "params"),
                       fmt::format("{:g}", row["bits"].get<double>()), number(row, "tokens"),
                       number(row, "tokens_per_param"));
    if (row.contains("low")) {
      out += fmt::format("  [{}, {}]", format_count(row["low"].get<double>()),
                         format_count(row["high"].get<double>()));
    }
    out += "\n";
  }
  return out;
}

std::string comparison_text(const Json& document) {
  std::string out = fmt::format("  {:<20} {:>9} {:>9} {:>9} {:>6} {:>6} {:>6} {:>9}  {}\n", "law",
                                "N", "D", "D/N", "P_w", "P_a", "P_kv", "loss", "precision");
  for (const Json& plan : document["plans"]) {
    const Json& best = plan["optimum"];
    out += fmt::format("  {:<20} {:>9} {:>9} {:>9} {:>6} {:>6} {:>6} {:>9}  {}\n",
                       plan["name"].get<std::string>(), number(best, "N"), number(best, "D"),
                       number(best, "tokens_per_param"), number(best, "P_w"), number(best, "P_a"),
                       number(best, "P_kv"), number(best, "loss"),
                       best.value("precision", std::string()));
  }
  out += document["verdict"].get<std::string>() + "\n";
  for (const auto& [name, entry] : document["agreement"].items()) {
    if (entry["agree"].get<bool>()) continue;
    out +=
        fmt::format("  {:<17} from {} ({}) to {} ({})\n", name,
                    shown(name, entry["low"].get<double>()), entry["lowest"].get<std::string>(),
                    shown(name, entry["high"].get<double>()), entry["highest"].get<std::string>());
  }
  for (const Json& note : document["notes"]) out += note.get<std::string>() + "\n";
  std::vector<std::pair<std::string, std::vector<std::string>>> notes;  // each once, with its laws
  for (const Json& plan : document["plans"]) {
    for (const Json& note : plan["notes"]) {
      const std::string text = note;
      const auto same = [&](const auto& known) { return known.first == text; };
      auto found = std::find_if(notes.begin(), notes.end(), same);
      if (found == notes.end()) found = notes.insert(notes.end(), {text, {}});
      found->second.push_back(plan["name"]);
    }
  }
  for (const auto& [note, names] : notes) {
    out += names.size() == document["plans"].size()
               ? note + "\n"
               : fmt::format("{}: {}\n", fmt::join(names, ", "), note);
  }
  for (const Json& law : document["skipped"]) {
    out += fmt::format("Not answered by {}: {}\n", law["law"].get<std::string>(),
                       law["why"].get<std::string>());
  }
  return out;
}

}  // namespace

std::string plan_text(const Json& plan) {
  if (plan.contains("error")) return plan["error"].get<std::string>() + "\n";
  if (plan.contains("plans")) return comparison_text(plan);
  std::string out =
      fmt::format("{} ({})\n", plan["law"].get<std::string>(), plan["source"].get<std::string>());
  if (plan.contains("optimum")) out += optimum_text(plan);
  if (plan.contains("critical_data")) out += critical_text(plan["critical_data"]);
  if (plan.contains("binding")) out += plan["binding"].get<std::string>() + "\n";
  if (plan.contains("choices")) out += choices_text(plan["choices"]);
  if (plan.contains("sensitivity")) out += sensitivity_text(plan["sensitivity"]);
  for (const Json& note : plan["notes"]) out += fmt::format("{}\n", note.get<std::string>());
  return out;
}

}  // namespace bitlaw
