#include "sweep/forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "sweep/memory.h"
#include "work/queue.h"

namespace bitlaw {
namespace {

std::vector<Variation> variations(const SweepPlan& plan) {
  std::vector<Variation> all;
  std::vector<std::unordered_set<std::string>> seen;
  for (const PlannedRun& run : plan.runs) {
    for (const auto& [key, value] : run.cell.choices) {
      const auto found = std::find_if(
          all.begin(), all.end(), [&key = key](const Variation& each) { return each.key == key; });
      const auto place = static_cast<size_t>(found - all.begin());
      if (found == all.end()) {
        all.push_back({key, {}});
        seen.emplace_back();
      }
      if (seen[place].insert(value).second) all[place].values.push_back(value);
    }
  }
  return all;
}

void count_flops(const SweepPlan& plan, const std::vector<Job>& jobs,
                 const std::vector<JobOutcome>& outcomes, Forecast& out) {
  for (const PlannedRun& run : plan.runs) {
    if (run.table.empty())
      out.flops_alone += run.flops;
    else
      ++out.cells_in_tables;
  }
  std::set<int> trunks;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].kind != JobKind::kTrain) continue;
    out.flops += jobs[i].cost;
    if (outcomes[i].state != JobState::kDone) {
      out.flops_left += jobs[i].cost;
      ++out.cells_left;
    }
    if (jobs[i].trunk < 0) continue;
    ++out.branches;
    trunks.insert(jobs[i].trunk);
  }
  out.trunks = std::ssize(trunks);
}

void predict_peak(const SweepPlan& plan, const std::vector<Job>& jobs,
                  const std::vector<JobOutcome>& outcomes, Forecast& out) {
  std::unordered_set<std::string> left;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].kind == JobKind::kTrain && outcomes[i].state != JobState::kDone)
      left.insert(jobs[i].run);
  }
  std::vector<const PlannedRun*> runs;
  for (const PlannedRun& run : plan.runs) {
    if (left.empty() || left.count(run.name) > 0) runs.push_back(&run);
  }
  if (runs.empty()) return;
  const LargestRun largest = largest_run(plan, runs);
  out.run_memory_bytes = largest.bytes;
  out.largest_run = largest.run->cell.label;
  const auto at_once = std::min<int64_t>(out.processes, std::ssize(runs));
  out.memory_bytes = static_cast<double>(at_once) * largest.bytes;
}

void predict_time(const SweepPlan& plan, const std::vector<JobOutcome>& outcomes,
                  const ForecastOptions& options, Forecast& out) {
  constexpr double kSecondsPerHour = 3600;
  std::vector<Job> jobs = jobs_in_seconds(plan, options.rates);
  double all = 0, left = 0;
  for (size_t i = 0; i < jobs.size(); ++i) {
    all += jobs[i].cost;
    if (outcomes[i].state == JobState::kDone)
      jobs[i].cost = 0;
    else
      left += jobs[i].cost;
  }
  out.speeds = options.speeds;
  out.core_hours = all / kSecondsPerHour;
  out.core_hours_left = left / kSecondsPerHour;
  out.seconds_left = planned_duration(jobs, options.processes);
  out.cost = out.price_per_core_hour * out.core_hours;
  out.cost_left = out.price_per_core_hour * out.core_hours_left;
}

// "a, b, c", or of many "a to z, 26 values".
std::string describe_values(const std::vector<std::string>& values) {
  constexpr size_t kMostListed = 8;
  if (values.size() <= kMostListed) return fmt::format("{}", fmt::join(values, ", "));
  return fmt::format("{}, {}, ..., {}: {} values", values[0], values[1], values.back(),
                     values.size());
}

std::string describe_cells(const Forecast& f) {
  std::string line = fmt::format("cells: {}, {} left", f.cells, f.cells_left);
  if (f.cells_in_tables > 0) line += fmt::format(", {} in tables", f.cells_in_tables);
  return line;
}

std::string describe_training(const Forecast& f) {
  std::string line = fmt::format("training: {:.4g} FLOP, {:.4g} left", f.flops, f.flops_left);
  if (f.branches > 0)
    line += fmt::format("; {} trunk{} save{} {:.4g} FLOP of {:.4g}, {:.0f} %", f.trunks,
                        f.trunks == 1 ? "" : "s", f.trunks == 1 ? "s" : "", f.flops_alone - f.flops,
                        f.flops_alone, 100 * (1 - f.flops / f.flops_alone));
  return line;
}

std::string describe_memory(const Forecast& f) {
  std::string line =
      fmt::format("memory: {} at the peak of the largest run", format_bytes(f.run_memory_bytes));
  if (!f.largest_run.empty()) line += fmt::format(" ({})", f.largest_run);
  if (f.memory_bytes > f.run_memory_bytes)
    line += fmt::format(", {} with {} at a time", format_bytes(f.memory_bytes), f.processes);
  return line;
}

std::string describe_time(const Forecast& f) {
  if (f.speeds.empty())
    return "time: not known; --calibrate measures this machine for at most 20 s, and --rate takes "
           "the tokens a second of another";
  return fmt::format("time: about {} with {} process{}; {:.3g} core-hours left of {:.3g}; {}",
                     format_duration(f.seconds_left), f.processes, f.processes == 1 ? "" : "es",
                     f.core_hours_left, f.core_hours, f.speeds);
}

std::string describe_cost(const Forecast& f) {
  if (f.speeds.empty()) return "cost: not known without the time";
  return fmt::format("cost: {:.3g} left of {:.3g}, at {} per core-hour", f.cost_left, f.cost,
                     f.price_per_core_hour);
}

}  // namespace

Forecast forecast(const SweepPlan& plan, const std::vector<JobOutcome>& outcomes,
                  const ForecastOptions& options) {
  const std::vector<Job> jobs = make_jobs(plan);
  BITLAW_CHECK(jobs.size() == outcomes.size());
  Forecast out{.cells = std::ssize(plan.runs), .varies = variations(plan)};
  out.processes = options.processes;
  if (options.price_per_core_hour > 0) out.price_per_core_hour = options.price_per_core_hour;
  count_flops(plan, jobs, outcomes, out);
  predict_peak(plan, jobs, outcomes, out);
  if (!options.rates.empty()) predict_time(plan, outcomes, options, out);
  return out;
}

std::vector<std::string> describe(const Forecast& forecast) {
  std::vector<std::string> lines{describe_cells(forecast)};
  for (const Variation& each : forecast.varies)
    lines.push_back(fmt::format("  {}: {}", each.key, describe_values(each.values)));
  lines.push_back(describe_training(forecast));
  if (!std::isnan(forecast.run_memory_bytes)) lines.push_back(describe_memory(forecast));
  lines.push_back(describe_time(forecast));
  if (!std::isnan(forecast.price_per_core_hour)) lines.push_back(describe_cost(forecast));
  return lines;
}

}  // namespace bitlaw
