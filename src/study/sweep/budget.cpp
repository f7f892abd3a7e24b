#include "sweep/budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "work/queue.h"

namespace bitlaw {
namespace {

struct UnitName {
  const char* name;
  Budget::Unit unit;
  double amount;  // of one, in FLOP or hours
};
constexpr UnitName kUnits[] = {
    {"FLOP", Budget::Unit::kFlop, 1},
    {"FLOPs", Budget::Unit::kFlop, 1},
    {"core-hours", Budget::Unit::kCoreHours, 1},
    {"core-hour", Budget::Unit::kCoreHours, 1},
    {"h", Budget::Unit::kHours, 1},
    {"hours", Budget::Unit::kHours, 1},
    {"hour", Budget::Unit::kHours, 1},
    {"min", Budget::Unit::kHours, 1.0 / 60},
    {"minutes", Budget::Unit::kHours, 1.0 / 60},
    {"s", Budget::Unit::kHours, 1.0 / 3600},
    {"days", Budget::Unit::kHours, 24},
};

const UnitName* find_unit(const std::string& name) {
  const auto found = std::find_if(std::begin(kUnits), std::end(kUnits),
                                  [&](const UnitName& unit) { return name == unit.name; });
  return found == std::end(kUnits) ? nullptr : found;
}

// "4.2e+09 FLOP", "0.12 core-hours", "3 min 20 s"
std::string describe_cost(double cost, Budget::Unit unit) {
  switch (unit) {
    case Budget::Unit::kFlop:
      return fmt::format("{:.3g} FLOP", cost);
    case Budget::Unit::kCoreHours:
      return fmt::format("{:.3g} core-hours", cost);
    case Budget::Unit::kHours:
      return format_duration(3600 * cost);
  }
  return "";
}

std::string name_of_cell(const PlannedRun& run) {
  return run.cell.label.empty() ? run.name : run.cell.label;
}

[[noreturn]] void pays_for_none(const SweepPlan& plan, const Budget& budget, double first) {
  const auto run = std::find_if(plan.runs.begin(), plan.runs.end(),
                                [](const PlannedRun& each) { return each.table.empty(); });
  throw Error(fmt::format("budget '{}': too small for the first cell of {}, {}, which takes {}",
                          budget.text, plan.study.name, name_of_cell(*run),
                          describe_cost(first, budget.unit)));
}

}  // namespace

Budget parse_budget(const std::string& text, const std::string& option) {
  const std::string trimmed = trim(text);
  const size_t end = std::min(trimmed.find_first_not_of("0123456789.+-eE"), trimmed.size());
  const auto amount = parse_positive(trim(trimmed.substr(0, end)));
  const UnitName* unit = find_unit(trim(trimmed.substr(end)));
  if (!amount || unit == nullptr)
    throw Error(
        fmt::format("{} '{}': expected a number above 0 with FLOP, core-hours, h or min, such as "
                    "\"1e16 FLOP\", "
                    "\"20 core-hours\" or \"2 h\"",
                    option, text));
  return {unit->unit, *amount * unit->amount, trimmed};
}

double cost_of_first(const SweepPlan& plan, size_t cells, const Budget& budget, const Rates& rates,
                     int parallel) {
  constexpr double kSecondsPerHour = 3600;
  if (budget.unit == Budget::Unit::kFlop) {
    double flops = 0;
    for (const Job& job : make_jobs(plan, cells)) {
      if (job.kind == JobKind::kTrain) flops += job.cost;
    }
    return flops;
  }
  const std::vector<Job> jobs = jobs_in_seconds(plan, rates, cells);
  if (budget.unit == Budget::Unit::kHours)
    return planned_duration(jobs, parallel) / kSecondsPerHour;
  double seconds = 0;
  for (const Job& job : jobs) seconds += job.cost;
  return seconds / kSecondsPerHour;
}

void apply_budget(SweepPlan& plan, const Budget& budget, const Rates& rates, int parallel) {
  const auto cost = [&](size_t cells) {
    return cost_of_first(plan, cells, budget, rates, parallel);
  };
  const size_t all = plan.runs.size();
  if (cost(all) <= budget.amount) return;
  size_t fit = 0, too_many = all;
  while (too_many - fit > 1) {
    const size_t middle = (fit + too_many) / 2;
    (cost(middle) <= budget.amount ? fit : too_many) = middle;
  }
  if (cost(fit) == 0) pays_for_none(plan, budget, cost(fit + 1));
  plan.notes.push_back(
      fmt::format("the budget of {} pays for the first {} of {} cells, which take {}", budget.text,
                  fit, all, describe_cost(cost(fit), budget.unit)));
  std::vector<bool> keep(all, false);
  std::fill_n(keep.begin(), fit, true);
  keep_cells(plan, keep);
}

}  // namespace bitlaw
