#include "report/isoflop_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "approach/approach.h"
#include "base/text.h"
#include "report/fitted_law.h"
#include "table/observation_columns.h"

namespace bitlaw {
namespace {

constexpr size_t kMostBudgets = 9;
constexpr size_t kMostPoints = 300;  // of a budget: evenly many are left out
constexpr int kCurvePlaces = 40;

// Rows of the commonest precision, of the gradients too that have a loss, N counted as the fit does.
std::vector<Observation> rows_of_one_precision(const std::vector<Observation>& rows,
                                               const Json& fit, std::string& precision) {
  std::map<std::string, std::vector<Observation>> classes;
  const bool differ_backward = std::any_of(rows.begin(), rows.end(), [&](const Observation& row) {
    return row.backward != rows[0].backward;
  });
  const auto name_of = [&](const Observation& row) {
    if (!differ_backward) return class_of(row);
    return fmt::format("{}, backward {}", class_of(row),
                       row.backward.empty() ? "not quantized" : row.backward);
  };
  for (const Observation& row : rows) {
    if (!row.is_post_training() && row.loss_nats > 0)
      classes[name_of(row)].push_back(as_counted(row, fit));
  }
  std::vector<Observation> out;
  for (auto& [name, members] : classes) {
    if (members.size() > out.size()) out = std::move(members), precision = name;
  }
  return out;
}

template <class Function>
Json line_of(double low, double high, const Function& loss) {
  Json out = Json::array();
  const double first = std::log(low) - 0.1, last = std::log(high) + 0.1;
  for (int i = 0; i < kCurvePlaces; ++i) {
    const double at = first + (last - first) * i / (kCurvePlaces - 1);
    const double value = loss(at);
    if (std::isfinite(value)) out.push_back({{"x", std::exp(at)}, {"y", value}});
  }
  return out;
}

Json budget_json(const IsoflopBudget& budget, const IsoflopRuns& runs, const FittedLaw* law) {
  const std::vector<Observation>& rows = runs.rows;
  Json points = Json::array();
  const size_t stride = (budget.runs.size() + kMostPoints - 1) / kMostPoints;
  for (size_t place = 0; place < budget.runs.size(); place += stride) {
    const int i = budget.runs[place];
    points.push_back({{"x", rows[i].params},
                      {"y", rows[i].loss_nats},
                      {"D", rows[i].tokens},
                      {"run", rows[i].cluster}});
  }
  Json out{{"C", budget.compute}, {"points", std::move(points)}};
  if (budget.parabola && budget.has_minimum())
    out["parabola"] = line_of(budget.least_params, budget.most_params, [&](double at) {
      return budget.mean_loss * budget.parabola->at(at);
    });
  if (law != nullptr) {
    out["law"] = line_of(budget.least_params, budget.most_params, [&](double at) {
      Observation run = rows[budget.runs[0]];
      run.params = std::exp(at), run.tokens = budget.compute / (runs.compute_ratio * run.params);
      return predict(*law->law, law->values.data(), run);
    });
  }
  if (budget.has_minimum()) {
    out["minimum"] = {{"x", budget.params.value}, {"y", budget.loss.value}};
    if (std::isfinite(budget.params.low))
      out["minimum"]["low"] = budget.params.low, out["minimum"]["high"] = budget.params.high;
  } else {
    out["missing"] = budget.missing;
  }
  return out;
}

std::string shown(const Estimate& estimate) {
  return std::isfinite(estimate.low)
             ? fmt::format("{:.3f} [{:.3f}, {:.3f}]", estimate.value, estimate.low, estimate.high)
             : fmt::format("{:.3f}", estimate.value);
}

}  // namespace

Json isoflop_figure(const std::vector<Observation>& given, const Json& fit) {
  if (!given.empty() && given[0].stand_in_sizes) return nullptr;
  std::string precision;
  std::vector<std::string> notes;
  const ApproachOptions options;
  const IsoflopRuns runs =
      isoflop_runs(rows_of_one_precision(given, fit, precision), options, notes);
  const FittedLaw law = fitted_law(fit);
  const bool has_law = law && law.law->predicts == Predicts::kLoss && !runs.rows.empty();
  const IsoflopFit found = isoflop_of(runs, options, has_law ? law.law : nullptr, law.values);
  if (found.budgets.empty()) return nullptr;
  Json sentences = Json::array();
  const auto enclosed = std::count_if(found.budgets.begin(), found.budgets.end(),
                                      [](const IsoflopBudget& each) { return each.has_minimum(); });
  const size_t budgets = found.budgets.size();
  std::string first = fmt::format(
      "Runs at {}: {} budget{} within 10 % of C = {:.3g} N D {} runs of three "
      "sizes, and in {} a minimum lies between them.",
      precision, budgets, budgets == 1 ? "" : "s", runs.compute_ratio,
      budgets == 1 ? "has" : "have", enclosed);
  if (found.optima.known())
    first += fmt::format(" By their parabolas N_opt grows as C^{} and D_opt as C^{}.",
                         shown(found.optima.a), shown(found.optima.b));
  else
    first += fmt::format(" No exponent: {}.", found.optima.missing);
  sentences.push_back(std::move(first));
  for (std::string& note : notes) sentences.push_back(std::move(note));
  if (std::isfinite(found.bias.params) && std::abs(found.bias.params) > 0.01)
    sentences.push_back(
        fmt::format("Parabolas through the losses of the fitted law give N_opt {:+.1f} % off; the "
                    "intervals hold both.",
                    100 * std::expm1(found.bias.params)));
  // Those with the most runs, by ascending C.
  std::vector<const IsoflopBudget*> shown_budgets;
  for (const IsoflopBudget& each : found.budgets) shown_budgets.push_back(&each);
  std::stable_sort(shown_budgets.begin(), shown_budgets.end(),
                   [](const auto* a, const auto* b) { return a->runs.size() > b->runs.size(); });
  if (shown_budgets.size() > kMostBudgets) {
    shown_budgets.resize(kMostBudgets);
    sentences.push_back(fmt::format("Drawn: the {} budgets with the most runs.", kMostBudgets));
  }
  std::sort(shown_budgets.begin(), shown_budgets.end(),
            [](const auto* a, const auto* b) { return a->compute < b->compute; });
  Json out{{"sentences", std::move(sentences)}, {"budgets", Json::array()}};
  for (const IsoflopBudget* each : shown_budgets)
    out["budgets"].push_back(budget_json(*each, runs, has_law ? &law : nullptr));
  return out;
}

}  // namespace bitlaw
