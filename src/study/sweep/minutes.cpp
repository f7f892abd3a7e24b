#include "sweep/minutes.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json_struct.h"
#include "base/text.h"
#include "record/beside_runs.h"
#include "sweep/timing.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

struct Decision {
  std::string name, study_hash;
  double minutes = kNoNumber, scale = kNoNumber, planned_seconds = kNoNumber;

  template <class V>
  void visit(V& v) {
    v.known("name", name);
    v.known("study_hash", study_hash);
    v.known("minutes", minutes);
    v.known("scale", scale);
    v.known("planned_seconds", planned_seconds);
  }
};

std::string hash_of(const SweepPlan& plan) {
  Json document = Json::array({plan.study.ptq});
  for (const PlannedRun& run : plan.runs) document.push_back(run.name);
  return hash_hex(dump_json(document));
}

fs::path decision_file(const SweepPlan& plan) {
  return plan.directory / kDecisionFile;
}

// Empty if that was stopped.
std::optional<Rates> measure_rates(const SweepPlan& plan, const LaunchOptions& options) {
  const std::vector<const PlannedRun*> kinds = kinds_of(plan);
  const std::vector<MeasuredSpeed> speeds = measure_speeds(kinds, options);
  if (speeds.size() < kinds.size()) return std::nullopt;
  Rates rates;
  for (const MeasuredSpeed& speed : speeds) rates[speed.kind] = speed.tokens_per_second;
  return rates;
}

}  // namespace

std::optional<double> decided_scale(const SweepPlan& plan, double minutes) {
  const fs::path file = decision_file(plan);
  std::error_code none;
  if (!fs::exists(file, none)) return std::nullopt;
  const auto before =
      struct_from_json<Decision>(parse_json(read_file(file), file.string()), file.string());
  if (before.study_hash != hash_of(plan) || before.minutes != minutes || std::isnan(before.scale))
    return std::nullopt;
  return before.scale;
}

std::optional<double> scale_for_minutes(const SweepPlan& plan, double minutes,
                                        const LaunchOptions& options, const SweepNote& note) {
  if (const auto scale = decided_scale(plan, minutes)) return scale;

  note("measuring the speed of each kind of cell ...");
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const std::optional<Rates> rates = measure_rates(plan, options);
  if (!rates) return std::nullopt;
  // Of the minutes asked for, those that measuring took are gone.
  const double budget = 60 * minutes - std::chrono::duration<double>(Clock::now() - start).count();
  const double scale = scale_that_fits(plan, *rates, options.parallel, budget);
  const double planned = planned_seconds_at(plan, scale, *rates, options.parallel);
  if (planned > budget)
    note(fmt::format("the smallest study of this design takes {}", format_duration(planned)));
  const Decision decision{plan.study.name, hash_of(plan), minutes, scale, planned};
  write_file_atomically(decision_file(plan), dump_json(struct_to_json(decision), 1) + "\n");
  return scale;
}

}  // namespace bitlaw
