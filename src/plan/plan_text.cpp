#include <fmt/format.h>

#include "base/text.h"
#include "plan/plan.h"

namespace bitlaw {
namespace {

// "2.31e+09" would be exact but is not how people say it.
std::string shown(const std::string& name, double value) {
  const bool amount = name == "N" || name == "D" || name == "N_eff" || name == "tokens" ||
                      name == "params" || name == "tokens_per_param";
  if (amount) return format_count(value);
  if (name == "compute") return fmt::format("{:.3g} FLOP", value);
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
    {"delta", "loss from quantizing afterwards, nats"},
    {"loss", "predicted loss, nats per token"},
};

std::string number(const Json& row, const char* name) {
  const auto found = row.find(name);
  return found == row.end() || !found->is_number() ? "none" : shown(name, found->get<double>());
}

}  // namespace

std::string plan_text(const Json& plan) {
  if (plan.contains("error")) return plan["error"].get<std::string>() + "\n";
  std::string out =
      fmt::format("{} ({})\n", plan["law"].get<std::string>(), plan["source"].get<std::string>());
  if (const auto best = plan.find("optimum"); best != plan.end()) {
    const auto intervals = plan.find("intervals");
    for (const Line& line : kLines) {
      if (!best->contains(line.name)) continue;
      out += fmt::format("  {:<17} {:>14}", line.name, number(*best, line.name));
      if (intervals != plan.end() && intervals->contains(line.name)) {
        const Json& range = (*intervals)[line.name];
        out += fmt::format("  [{}, {}]", shown(line.name, range["low"].get<double>()),
                           shown(line.name, range["high"].get<double>()));
      }
      out += fmt::format("  {}\n", line.meaning);
    }
  }
  if (const auto rows = plan.find("critical_data"); rows != plan.end()) {
    out += fmt::format("  {:>10} {:>6} {:>14} {:>18}\n", "N", "P_post", "critical D",
                       "D per parameter");
    for (const Json& row : *rows) {
      out += fmt::format("  {:>10} {:>6} {:>14} {:>18}", number(row, "params"),
                         fmt::format("{:g}", row["bits"].get<double>()), number(row, "tokens"),
                         number(row, "tokens_per_param"));
      if (row.contains("low")) {
        out += fmt::format("  [{}, {}]", format_count(row["low"].get<double>()),
                           format_count(row["high"].get<double>()));
      }
      out += "\n";
    }
  }
  for (const Json& note : plan["notes"]) out += fmt::format("{}\n", note.get<std::string>());
  return out;
}

}  // namespace bitlaw
