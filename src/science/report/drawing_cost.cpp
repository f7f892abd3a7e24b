// Loss at equal cost of parameters, N P, by precision (arXiv 2411.04330, figures 1 and 6).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/search.h"
#include "base/text.h"
#include "laws/effective.h"
#include "report/drawing_runs.h"

namespace bitlaw {
namespace {

// Runs of nearly the same D and N P.
struct MatchedCost {
  double d, cost;
  DrawnRows runs = {};
  size_t precisions = 0;
};

std::vector<MatchedCost> matched_costs(const DrawnRows& rows) {
  constexpr double kSameCost = 0.1, kSameLength = 0.05;
  constexpr size_t kMostPanels = 4, kFewestPrecisions = 3;
  std::vector<double> costs, lengths;  // logarithms
  for (const DrawnRow* row : rows) {
    costs.push_back(std::log(row->n * row->parts.bits));
    lengths.push_back(std::log(row->d));
  }
  std::vector<MatchedCost> found;
  std::set<std::pair<double, double>> seen;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!seen.emplace(costs[i], lengths[i]).second) continue;
    MatchedCost group{rows[i]->d, rows[i]->n * rows[i]->parts.bits};
    std::set<double> bits;
    for (size_t k = 0; k < rows.size(); ++k) {
      if (std::fabs(costs[k] - costs[i]) > kSameCost ||
          std::fabs(lengths[k] - lengths[i]) > kSameLength)
        continue;
      group.runs.push_back(rows[k]);
      bits.insert(rows[k]->parts.bits);
    }
    group.precisions = bits.size();
    if (group.precisions >= kFewestPrecisions) found.push_back(std::move(group));
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.precisions != b.precisions ? a.precisions > b.precisions
                                        : a.runs.size() > b.runs.size();
  });
  std::vector<MatchedCost> out;
  std::set<const DrawnRow*> taken;
  for (MatchedCost& group : found) {
    if (out.size() == kMostPanels) break;
    if (std::any_of(group.runs.begin(), group.runs.end(),
                    [&](const DrawnRow* row) { return taken.contains(row); }))
      continue;
    taken.insert(group.runs.begin(), group.runs.end());
    out.push_back(std::move(group));
  }
  return out;
}

Observation at_cost(const DrawingData& data, const MatchedCost& group, const QuantizedParts& parts,
                    double bits) {
  Observation run = data.model(group.cost / bits, group.d);
  set_parts(run, parts, bits);
  return run;
}

// The bits of the least loss at this cost.
DrawnEstimate best_at_cost(const DrawingData& data, const MatchedCost& group,
                           const QuantizedParts& parts) {
  return data.estimate([&](const std::vector<double>& values) {
    const auto loss = [&](double bits) {
      const double found =
          predict(*data.fit()->law, values.data(), data.counted(at_cost(data, group, parts, bits)));
      return std::isfinite(found) ? found : 1e300;
    };
    Found best{kFewestBits, 1e300};
    for (const double bits : log_places(kFewestBits, kMostBits, 17, 0)) {
      if (const double value = loss(bits); value < best.value) best = {bits, value};
    }
    return minimise_near(loss, best.x, 0.2 * best.x, kFewestBits, kMostBits, 1e-4).x;
  });
}

// Runs of somewhat more parameters have a lower loss for that reason alone.
std::string how_nearly_equal(const std::vector<MatchedCost>& groups) {
  double cost = 0, length = 0;
  for (const MatchedCost& group : groups) {
    for (const DrawnRow* row : group.runs) {
      cost = std::max(cost, std::fabs(row->n * row->parts.bits / group.cost - 1));
      length = std::max(length, std::fabs(row->d / group.d - 1));
    }
  }
  constexpr double kSame = 5e-4;
  if (cost < kSame && length < kSame) return "";
  return fmt::format(
      "The costs are only nearly equal: N P of these runs differs by up to {:.1f} % and D by up to "
      "{:.1f} %. ",
      100 * cost, 100 * length);
}

std::string best_measured(const MatchedCost& group) {
  const auto best =
      *std::min_element(group.runs.begin(), group.runs.end(),
                        [](const DrawnRow* a, const DrawnRow* b) { return a->loss < b->loss; });
  return fmt::format("of {} measured runs the best has {:g} bits", group.runs.size(),
                     best->parts.bits);
}

std::string best_fitted(const DrawingData& data, const MatchedCost& group,
                        const QuantizedParts& parts) {
  const DrawnEstimate best = best_at_cost(data, group, parts);
  constexpr double kNearEnd = 0.01;
  if (!best.may_be_said())
    return fmt::format("the fit does not identify the best bits ({})", best.missing);
  if (best.interval->low < kFewestBits + kNearEnd || best.interval->high > kMostBits - kNearEnd)
    return fmt::format(
        "the fit does not identify the best bits (the interval reaches {:.3g} to "
        "{:.3g})",
        best.interval->low, best.interval->high);
  return fmt::format("the fit's best is {} bits (90 % interval)", estimate_words(best, "{:.2f}"));
}

}  // namespace

void add_cost_drawings(const DrawingData& data, const RunsByParts& by_parts,
                       std::vector<Drawing>& out) {
  // Of as many parts together as the runs allow; those that are not quantized belong to all.
  QuantizedParts parts;
  DrawnRows rows;
  std::vector<MatchedCost> groups;
  const auto count = [](const QuantizedParts& of) { return of.w + of.a + of.kv; };
  for (const auto& [name, runs] : by_parts) {
    const QuantizedParts& theirs = runs[0]->parts;
    if (!theirs.w) continue;  // activations alone make no parameter cheaper
    DrawnRows all;
    for (const auto& from : {by_parts.find(name), by_parts.find("")}) {
      if (from == by_parts.end()) continue;
      for (const DrawnRow* row : from->second) {
        if (row->flagged.empty()) all.push_back(row);
      }
    }
    std::vector<MatchedCost> found = matched_costs(all);
    const auto order = std::pair(!found.empty(), count(theirs));
    if (!rows.empty() && order <= std::pair(!groups.empty(), count(parts))) continue;
    parts = theirs, rows = std::move(all), groups = std::move(found);
  }
  if (rows.empty()) return;
  Drawing drawing{"matched-cost",
                  kBitsGroup,
                  "Loss at equal cost of parameters, N P",
                  "",
                  {"bits P of " + parts.name},
                  {"loss, nats per token"}};
  const bool is_measured = !groups.empty();
  if (!is_measured) {
    drawing.says =
        "No three precisions were trained on one D with N P within 10 %, so nothing measured "
        "stands "
        "here. ";
    if (data.has_bits() && !rows.empty()) {
      MatchedCost largest{0, 0};
      for (const DrawnRow* row : rows) {
        largest.d = std::max(largest.d, row->d), largest.cost = std::max(largest.cost, 16 * row->n);
      }
      groups.push_back(largest);
    }
  }
  std::vector<std::string> titles, measured, fitted;
  for (const MatchedCost& group : groups) {
    const std::string title =
        fmt::format("N P = {}, D = {}", format_count(group.cost), format_count(group.d));
    DrawnPanel panel{title};
    if (is_measured) {
      DrawnSeries& series = panel.named("measured");
      for (const DrawnRow* row : group.runs)
        series.points.push_back(data.point(*row, row->parts.bits));
    }
    if (data.has_bits())
      panel.named("fitted law").curve =
          data.curve(even_places(3, kMostDrawnBits, 53),
                     [&](double bits) { return at_cost(data, group, parts, bits); });
    drawing.panels.push_back(std::move(panel));
    titles.push_back(title);
    if (is_measured) measured.push_back(best_measured(group));
    if (data.has_bits()) fitted.push_back(best_fitted(data, group, parts));
  }
  // In laws of N_eff the best bits are the same at every cost.
  const bool one =
      !fitted.empty() && std::all_of(fitted.begin(), fitted.end(),
                                     [&](const auto& each) { return each == fitted[0]; });
  for (size_t i = 0; i < titles.size(); ++i) {
    std::vector<std::string> words;
    if (is_measured) words.push_back(measured[i]);
    if (!fitted.empty() && (!one || titles.size() == 1)) words.push_back(fitted[i]);
    if (!words.empty())
      drawing.says += fmt::format("At {}: {}. ", titles[i], fmt::join(words, "; "));
  }
  if (one && titles.size() > 1) drawing.says += fmt::format("At each of them {}. ", fitted[0]);
  if (is_measured) drawing.says += how_nearly_equal(groups);
  if (!data.fit()) drawing.says += data.why_no_curve();
  drawing.says = trim(drawing.says);
  out.push_back(std::move(drawing));
}

}  // namespace bitlaw
