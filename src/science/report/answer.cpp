#include "report/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "report/fields.h"
#include "report/from_table.h"
#include "report/rows.h"

namespace bitlaw {
namespace {

// The planner looks for a free precision within [1, 32] bits; an end there is no end.
constexpr double kFewestSearched = 1.001, kMostSearched = 31.99;
constexpr size_t kFewestShown = 3;  // precisions after training whose cost is given

std::string counted(size_t count, const char* thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

// "3 to 6", or "4" if both are the same.
std::string range(double low, double high, const auto& show) {
  return show(low) == show(high) ? show(low) : show(low) + " to " + show(high);
}

// "12 minutes on 2 cores (processor)" for each machine that took part.
std::string effort(const Json& sessions) {
  std::map<std::string, double> seconds;  // by machine
  std::vector<std::string> order;
  for (const Json& session : sessions) {
    const std::string processor = text(session, "processor");
    const std::string machine = counted(static_cast<size_t>(number(session, "cores")), "core") +
                                (processor.empty() ? "" : fmt::format(" ({})", processor));
    if (!seconds.contains(machine)) order.push_back(machine);
    seconds[machine] += number(session, "seconds");
  }
  std::string out;
  for (const std::string& machine : order) {
    out += fmt::format("{}{} on {}", out.empty() ? "" : " and ", format_duration(seconds[machine]),
                       machine);
  }
  return out;
}

constexpr std::string_view kAtACost = "At a cost proportional to bits";

std::string what_was_measured(const std::vector<TidyRow>& rows, const Json& summary) {
  std::map<std::string, bool> quantized;                  // by run
  size_t lowered = 0, unnamed = 0, cells = 0, place = 0;  // unnamed: of precisions without bits
  bool are_named = true;                                  // the models that were quantized
  double least = 16, most = 0;                            // bits that were trained with
  for (const TidyRow& row : rows) {
    const std::string stand_in = name_of_unnamed(place++);
    if (!row.is_run()) {
      are_named &= row.run != stand_in;
      quantized[row.run] = true;
      ++cells;
      continue;
    }
    unnamed += std::isnan(row.P_w);
    lowered += !all_bf16(row) && !std::isnan(row.P_w);
    for (const double bits : {row.P_w, row.P_a, row.P_kv}) {
      if (!(bits < 16)) continue;
      least = std::min(least, bits);
      most = std::max(most, bits);
    }
  }
  const auto runs = summary.value("runs", size_t{0});
  const bool all_diverged = runs > 0 && summary.value("diverged", size_t{0}) == runs;
  const Json sizes = summary.value("sizes", Json::array());
  const auto count = [](double value) { return format_count(value); };
  const auto bits = [](double value) { return fmt::format("{:g}", value); };
  std::string out;
  if (runs > 0 && !sizes.empty()) {
    out = fmt::format("{} with {} parameters {} trained on {} tokens", counted(runs, "model"),
                      range(sizes.front(), sizes.back(), count), runs == 1 ? "was" : "were",
                      range(summary["tokens"][0], summary["tokens"][1], count));
    if (lowered > 0) {
      out += fmt::format(", {} of them with weights, activations or keys and values at {} bits",
                         lowered, range(least, most, bits));
    }
    if (unnamed > 0)
      out += fmt::format(", {}{} at precisions whose names say no bits", unnamed,
                         lowered > 0 ? "" : " of them");
  }
  if (cells > 0 && !are_named) {
    out += fmt::format(
        "{}odels were quantized after training, in {}; no column names them, so they are not "
        "counted",
        out.empty() ? "M" : "; m", counted(cells, "cell"));
  } else if (cells > 0) {
    out += fmt::format(
        "{}{} {} quantized after training, in {}", out.empty() ? "" : "; ",
        out.empty() ? counted(quantized.size(), "model") : std::to_string(quantized.size()),
        quantized.size() == 1 ? "was" : "were", counted(cells, "cell"));
  }
  if (out.empty()) return "There are no finished runs.";
  if (all_diverged) {
    out += runs == 1 ? ". It diverged, so there is no loss to report"
                     : ". All of them diverged, so there is no loss to report";
  }
  const std::string time = effort(summary.value("effort", Json::array()));
  return out + "." + (time.empty() ? "" : fmt::format(" That took {}.", time));
}

// Why an estimate is not identified: a constant that it depends on is not; "" if there is none.
std::string not_identified(const Json& estimate, const Json& constants) {
  const Json depends_on = estimate.value("depends_on", Json::array());
  for (const Json& line : constants) {
    const std::string name = text(line, "name");
    if (std::find(depends_on.begin(), depends_on.end(), name) == depends_on.end()) continue;
    if (line.value("at_edge", false)) {
      return fmt::format("{}, on which it depends, ended at the edge of its range", name);
    }
    if (!text(line, "frozen").empty()) {
      return fmt::format("{}, on which it depends, was not fitted", name);
    }
  }
  return "";
}

}  // namespace

std::string best_precision_sentence(const Json& optimum, const Json& constants) {
  if (!optimum.is_object()) return "";
  const Json interval = optimum.value("intervals", Json::object()).value("P_w", Json::object());
  const double low = number(interval, "low"), high = number(interval, "high");
  std::string why = not_identified(optimum, constants);
  if (!optimum["best"].is_object()) {
    why = "the fitted constants give none";
  } else if (why.empty() && !(std::isfinite(low) && std::isfinite(high))) {
    why = "the fit has no intervals";
  } else if (why.empty() && (low < kFewestSearched || high > kMostSearched)) {
    why = fmt::format("its 90 % interval, {:.3g} to {:.3g} bits, reaches the limit of the search",
                      low, high);
  }
  if (!why.empty()) {
    return fmt::format("These runs do not identify the best training precision: {}.", why);
  }
  std::string out = fmt::format(
      "{}, the best training precision is {:.2f} bits (90 % interval {:.2f} to {:.2f}) for "
      "weights, "
      "activations, and keys and values together",
      kAtACost, number(optimum["best"], "P_w"), low, high);
  if (optimum.contains("published_best") && optimum["published_best"].is_object()) {
    out += fmt::format(
        "; the published constants give {:.2f} (comparable only with the same extra norm and the "
        "same "
        "shared scales)",
        number(optimum["published_best"], "P_w"));
  }
  return out + ".";
}

namespace {

std::string bit_after_training(const Json& post_bit, const Json& constants) {
  if (!post_bit.is_object()) return "";
  const double low = number(post_bit, "low"), high = number(post_bit, "high");
  std::string why = not_identified(post_bit, constants);
  if (why.empty() && !(std::isfinite(low) && std::isfinite(high))) why = "the fit has no intervals";
  if (!why.empty()) {
    return fmt::format("These runs do not identify what a bit less costs after training: {}.", why);
  }
  return fmt::format(
      "After training, one bit less (3 instead of 4) costs {:.2f} times as much loss (90 % "
      "interval {:.2f} to {:.2f}).",
      number(post_bit, "ratio"), low, high);
}

// What GPTQ cost the largest model that was trained longest, at the three fewest bits; the mean if
// there are several calibrations, whose standard errors are not independent.
std::string measured_after_training(const std::vector<TidyRow>& rows) {
  double params = 0, tokens = 0;
  std::map<double, std::vector<const TidyRow*>, std::greater<>> cells;  // by bits
  for (const TidyRow& row : rows) {
    if (row.method != "gptq" || !all_bf16(row) || whole(row.group) > 0 ||
        !std::isfinite(row.delta) || !(row.standard_error > 0))
      continue;
    const double n = whole(row.N), d = whole(row.D);
    if (n < params || (n == params && d < tokens)) continue;
    if (n > params || d > tokens) cells.clear();
    params = n;
    tokens = d;
    cells[row.P_post].push_back(&row);
  }
  std::vector<std::string> parts;
  size_t left = cells.size();
  for (const auto& [bits, same] : cells) {
    if (left-- > kFewestShown) continue;
    double delta = 0, error = 0;
    for (const TidyRow* cell : same) {
      delta += cell->delta / static_cast<double>(same.size());
      error = std::max(error, cell->standard_error);
    }
    if (delta < 3 * error) continue;
    const int decimals = std::clamp(1 - static_cast<int>(std::floor(std::log10(error))), 0, 9);
    parts.push_back(fmt::format("{:.{}f} ± {:.{}f} {}at {:g}{}", delta, decimals, error, decimals,
                                parts.empty() ? "nats per token " : "", bits,
                                parts.empty() ? " bits" : ""));
  }
  if (parts.empty()) return "";
  const std::string last = parts.back();
  parts.pop_back();
  return fmt::format(
      "GPTQ cost the largest model ({} parameters, {} tokens) {}{}{} (± a standard error).",
      format_count(params), format_count(tokens), fmt::join(parts, ", "),
      parts.empty() ? "" : " and ", last);
}

}  // namespace

Json answer_sentences(const Json& document, const std::vector<TidyRow>& rows,
                      const std::string& about_fit) {
  const Json& constants = document["constants"];
  std::string best = best_precision_sentence(document["figures"]["optimum"], constants);
  if (best.starts_with(kAtACost) && std::none_of(rows.begin(), rows.end(), [](const TidyRow& row) {
        return row.P_w < 16 && row.P_a < 16 && row.P_kv < 16;
      }))
    best += " No run here has all three below 16 bits, so this rests on the law's form.";
  std::string after = bit_after_training(document["post_bit"], constants);
  const std::string measured = measured_after_training(rows);
  if (!after.empty() && !measured.empty()) after += " ";
  Json out = Json::array();
  for (const std::string& sentence :
       {what_was_measured(rows, document["summary"]), about_fit, best, after + measured}) {
    if (!sentence.empty()) out.push_back(sentence);
  }
  return out;
}

}  // namespace bitlaw
