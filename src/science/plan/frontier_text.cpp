// Frontiers as a table, as CSV and as a document.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/csv.h"
#include "base/text.h"
#include "plan/frontier.h"

namespace bitlaw {
namespace {

// "4.1 GB": powers of 1000, as in bytes=4e6.
std::string bytes_text(double bytes) {
  for (const auto& [unit, size] : {std::pair{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}}) {
    if (bytes >= 0.9995 * size) return fmt::format("{:.3g} {}", bytes / size, unit);
  }
  return fmt::format("{:.0f} B", bytes);
}

// A line of the table without blanks at its end.
std::string table_line(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string one_text(const Frontier& frontier) {
  std::string out = fmt::format("{} ({})\n", frontier.law, frontier.source);
  const bool draws = std::any_of(frontier.points.begin(), frontier.points.end(),
                                 [](const FrontierPoint& point) { return !point.shares.empty(); });
  size_t widest = 4;
  for (const FrontierPoint& point : frontier.points) widest = std::max(widest, point.choice.size());
  const auto line = [&](const std::string& bytes, const std::string& params,
                        const std::string& tokens, const std::string& bits, const std::string& loss,
                        const std::string& mean, const std::string& best, const std::string& share,
                        const std::string& second) {
    std::string text =
        fmt::format("  {:>9} {:>9} {:>9} {:>7} {:<9}", bytes, params, tokens, bits, loss);
    if (draws) text += fmt::format(" {:<18}", mean);
    text += fmt::format(" {:<{}}", best, widest);
    if (draws) text += fmt::format(" {:>6}", share);
    return table_line(text + "  " + second);
  };
  out += line("bytes", "N", "D", "bits/w", "   loss", "mean", "best", "draws", "next best");
  bool any_beyond = false;
  for (const FrontierPoint& point : frontier.points) {
    if (!point.none.empty()) {
      out += fmt::format("  {:>9} {}\n", bytes_text(point.bytes), point.none);
      continue;
    }
    const auto share = point.shares.find(point.choice);
    const bool is_beyond = !point.beyond.empty();
    any_beyond = any_beyond || is_beyond;
    out += line(
        bytes_text(point.bytes), format_count(point.best.params), format_count(point.best.tokens),
        point.best.weight_bits ? fmt::format("{:.2f}", *point.best.weight_bits) : "",
        fmt::format("{:>8.4f}{}", point.best.loss.value_or(kUnknown), is_beyond ? "*" : ""),
        point.mean ? fmt::format("[{:.4f}, {:.4f}]", point.mean->low, point.mean->high) : "",
        point.choice,
        fmt::format("{:.0f} %", share == point.shares.end() ? 0 : 100 * share->second),
        point.second.empty() ? "" : fmt::format("{} ({:+.4f})", point.second, point.gap));
  }
  for (const FrontierChange& change : frontier.changes) {
    out += change.to.empty()
               ? fmt::format("From {} on, nothing fits.\n", bytes_text(change.bytes))
               : fmt::format("From {} on, {} {} {}.\n", bytes_text(change.bytes), change.to,
                             change.to.ends_with("bits") ? "beat" : "beats", change.from);
  }
  if (any_beyond) out += "* beyond the runs that the constants were fitted to.\n";
  for (const std::string& note : frontier.notes) out += note + "\n";
  return out;
}

std::vector<const Frontier*> answered(const Frontiers& frontiers) {
  std::vector<const Frontier*> out;
  for (const Frontier& each : frontiers.laws) {
    if (each.error.empty()) out.push_back(&each);
  }
  return out;
}

// The answers of all laws at one number of bytes.
struct LawRange {
  double bytes;
  std::vector<std::string> choices;  // of each law in turn, "" = nothing fits
  double low_params = kUnknown, high_params = kUnknown;
};

std::vector<LawRange> ranges_of(const std::vector<const Frontier*>& laws) {
  std::vector<LawRange> out;
  if (laws.size() < 2) return out;
  for (size_t i = 0; i < laws[0]->points.size(); ++i) {
    LawRange range{.bytes = laws[0]->points[i].bytes, .choices = {}};
    for (const Frontier* law : laws) {
      const FrontierPoint& point = law->points[i];
      range.choices.push_back(point.choice);
      if (!point.none.empty()) continue;
      range.low_params = std::fmin(range.low_params, point.best.params);
      range.high_params = std::fmax(range.high_params, point.best.params);
    }
    out.push_back(std::move(range));
  }
  return out;
}

std::string ranges_text(const std::vector<const Frontier*>& laws) {
  std::string out = fmt::format("All laws\n  {:>9} {:>9} {:>9} ", "bytes", "least N", "most N");
  std::vector<size_t> widths;
  for (const Frontier* law : laws) {
    widths.push_back(law->law.size());
    for (const FrontierPoint& point : law->points)
      widths.back() = std::max(widths.back(), point.choice.size());
  }
  for (size_t k = 0; k < laws.size(); ++k) out += fmt::format(" {:<{}}", laws[k]->law, widths[k]);
  out = table_line(out);
  size_t agreed = 0;
  const std::vector<LawRange> ranges = ranges_of(laws);
  for (const LawRange& range : ranges) {
    std::string line = fmt::format("  {:>9} {:>9} {:>9} ", bytes_text(range.bytes),
                                   format_count(range.low_params), format_count(range.high_params));
    for (size_t k = 0; k < laws.size(); ++k) {
      const std::string& choice = range.choices[k];
      line += fmt::format(" {:<{}}", choice.empty() ? "-" : choice, widths[k]);
    }
    out += table_line(line);
    agreed += std::set<std::string>(range.choices.begin(), range.choices.end()).size() == 1;
  }
  out +=
      fmt::format("The laws choose alike at {} of {} numbers of bytes.\n", agreed, ranges.size());
  return out;
}

Json optional_json(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}

Json point_json(const FrontierPoint& point) {
  Json out{{"bytes", point.bytes}};
  if (!point.none.empty()) {
    out["none"] = point.none;
    return out;
  }
  out["choice"] = point.choice;
  for_each_number(point.best,
                  [&out](const char* name, double value, const char*) { out[name] = value; });
  if (!point.best.precision.empty()) out["precision"] = point.best.precision;
  if (point.mean) out["mean"] = {{"low", point.mean->low}, {"high", point.mean->high}};
  if (point.params) out["N_interval"] = {{"low", point.params->low}, {"high", point.params->high}};
  if (!point.shares.empty()) out["shares"] = point.shares;
  if (!point.second.empty()) out["second"] = point.second, out["gap"] = point.gap;
  out["beyond"] = point.beyond;
  Json& choices = out["choices"] = Json::array();
  for (const FrontierChoice& each : point.choices)
    choices.push_back({{"choice", each.choice}, {"N", each.params}, {"loss", each.loss}});
  return out;
}

}  // namespace

Json frontier_json(const Frontier& frontier) {
  if (!frontier.error.empty()) return {{"law", frontier.law}, {"error", frontier.error}};
  Json out{{"law", frontier.law},
           {"source", frontier.source},
           {"request", request_json(frontier.request)},
           {"points", Json::array()},
           {"changes", Json::array()},
           {"notes", frontier.notes}};
  for (const FrontierPoint& point : frontier.points) out["points"].push_back(point_json(point));
  for (const FrontierChange& change : frontier.changes) {
    out["changes"].push_back({{"bytes", change.bytes}, {"from", change.from}, {"to", change.to}});
  }
  return out;
}

Json frontier_json(const Frontiers& frontiers) {
  if (!frontiers.error.empty()) return {{"error", frontiers.error}};
  if (frontiers.laws.size() == 1) return frontier_json(frontiers.laws[0]);
  Json out{{"laws", Json::array()}, {"ranges", Json::array()}};
  for (const Frontier& each : frontiers.laws) out["laws"].push_back(frontier_json(each));
  for (const LawRange& range : ranges_of(answered(frontiers))) {
    out["ranges"].push_back({{"bytes", range.bytes},
                             {"choices", range.choices},
                             {"low_N", optional_json(range.low_params)},
                             {"high_N", optional_json(range.high_params)}});
  }
  return out;
}

std::string frontier_text(const Frontiers& frontiers) {
  if (!frontiers.error.empty()) return frontiers.error + "\n";
  std::string out;
  for (const Frontier& each : frontiers.laws) {
    if (each.error.empty()) out += one_text(each);
  }
  const std::vector<const Frontier*> laws = answered(frontiers);
  if (laws.size() > 1) out += ranges_text(laws);
  for (const Frontier& each : frontiers.laws) {
    if (!each.error.empty()) out += fmt::format("Not answered by {}: {}\n", each.law, each.error);
  }
  return out;
}

std::string frontier_csv(const Frontiers& frontiers) {
  std::string out =
      csv_line({"law",   "bytes",  "choice", "N",           "N_total", "D",        "P_w",
                "P_a",   "P_kv",   "P_post", "weight_bits", "loss",    "mean_low", "mean_high",
                "N_low", "N_high", "draws",  "second",      "gap",     "beyond"});
  const auto number = [](const std::optional<double>& value) {
    return value && std::isfinite(*value) ? fmt::format("{}", *value) : std::string();
  };
  for (const Frontier* law : answered(frontiers)) {
    for (const FrontierPoint& point : law->points) {
      const PlanOptimum& best = point.best;
      const auto share = point.shares.find(point.choice);
      const bool has_mean = point.mean.has_value(), has_params = point.params.has_value();
      out += csv_line({law->law,
                       number(point.bytes),
                       point.choice,
                       number(best.params),
                       number(best.total_params),
                       number(best.tokens),
                       number(best.bits_weights),
                       number(best.bits_activations),
                       number(best.bits_kv),
                       number(best.post_bits),
                       number(best.weight_bits),
                       number(best.loss),
                       has_mean ? number(point.mean->low) : "",
                       has_mean ? number(point.mean->high) : "",
                       has_params ? number(point.params->low) : "",
                       has_params ? number(point.params->high) : "",
                       share == point.shares.end() ? "" : number(share->second),
                       point.second,
                       number(point.gap),
                       fmt::format("{}", fmt::join(point.beyond, "; "))});
    }
  }
  return out;
}

}  // namespace bitlaw
