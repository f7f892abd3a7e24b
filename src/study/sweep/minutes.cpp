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

// A job for every kind of run.
std::vector<Job> measuring_jobs(const SweepPlan& plan, std::vector<std::string>& keys) {
  std::vector<Job> jobs;
  for (const PlannedRun& run : plan.runs) {
    const std::string key = speed_key(run);
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    keys.push_back(key);
    jobs.push_back({.kind = JobKind::kMeasure,
                    .name = "measure " + run.name,
                    .run = run.name,
                    .configuration = run.cell.config});
  }
  return jobs;
}

// Each kind of run trains for a moment in a process of its own, as many at a time as the study will
// run. Empty if that was stopped.
std::optional<Rates> measure_rates(const SweepPlan& plan, LaunchOptions options) {
  std::vector<std::string> keys;
  const std::vector<Job> jobs = measuring_jobs(plan, keys);
  write_job_files(jobs, options.runs);
  options.quiet = true;
  const auto [outcomes, note, trouble] = launch_local(jobs, options);
  if (!trouble.empty()) throw Error("measuring the speed failed: " + trouble);
  Rates rates;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (outcomes[i].state == JobState::kWaiting) return std::nullopt;
    if (outcomes[i].state != JobState::kDone)
      throw Error("measuring the speed failed: " + outcomes[i].message);
    const fs::path log = job_log(jobs[i], options.runs);
    rates[keys[i]] = parse_json(read_file(log), log.string()).at("tokens_per_second");
  }
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
