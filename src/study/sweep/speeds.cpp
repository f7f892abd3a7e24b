#include "sweep/speeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "record/beside_runs.h"
#include "runs/effort.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr double kCalibrationSeconds = 20;
// A process measures for a second, and takes about half a second to start.
constexpr size_t kMeasurements = 12;  // of each process

struct SpeedsFile {
  std::vector<MachineSpeeds> machines;

  template <class V>
  void visit(V& v) {
    v("machines", machines);
  }
};

SpeedsFile read_speeds(const fs::path& runs) {
  const fs::path file = runs / kSpeedsFile;
  std::error_code none;
  if (!fs::exists(file, none)) return {};
  return struct_from_json<SpeedsFile>(parse_json(read_file(file), file.string()), file.string());
}

double flops_per_token(const PlannedRun& run) {
  return run.resolved.config.model.training_flops_per_token();
}

// The recipe is what comes last in a speed_key().
std::string precision_of(const std::string& kind) {
  return kind.substr(std::min(kind.find(" batch "), kind.size()));
}

// Some kinds of all sizes, the smallest and the largest first.
std::vector<const PlannedRun*> selection(std::vector<const PlannedRun*> kinds, size_t most) {
  if (kinds.size() <= most) return kinds;
  std::stable_sort(kinds.begin(), kinds.end(), [](const PlannedRun* a, const PlannedRun* b) {
    return flops_per_token(*a) < flops_per_token(*b);
  });
  std::vector<const PlannedRun*> out{kinds.front(), kinds.back()};
  for (size_t i = 1; out.size() < most; ++i)
    out.push_back(kinds[i * (kinds.size() - 1) / (most - 1)]);
  return out;
}

void keep(const MachineSpeeds& speeds, const fs::path& runs) {
  SpeedsFile file = read_speeds(runs);
  std::erase_if(file.machines, [&](const MachineSpeeds& each) {
    return each.name() == speeds.name() && each.processes == speeds.processes;
  });
  file.machines.push_back(speeds);
  make_directories(runs);
  write_file_atomically(runs / kSpeedsFile, dump_json(struct_to_json(file), 1) + "\n");
}

}  // namespace

std::string MachineSpeeds::name() const {
  return fmt::format("{}, {} core{}", processor, cores, cores == 1 ? "" : "s");
}

std::vector<const PlannedRun*> kinds_of(const SweepPlan& plan) {
  std::unordered_set<std::string> kinds;
  std::vector<const PlannedRun*> out;
  for (const PlannedRun& run : plan.runs) {
    if (kinds.insert(speed_key(run)).second) out.push_back(&run);
  }
  return out;
}

std::vector<MeasuredSpeed> measure_speeds(const std::vector<const PlannedRun*>& examples,
                                          LaunchOptions options) {
  std::vector<Job> jobs;
  for (const PlannedRun* run : examples)
    jobs.push_back({.kind = JobKind::kMeasure,
                    .name = "measure " + run->name,
                    .run = run->name,
                    .configuration = run->cell.config});
  write_job_files(jobs, options.runs);
  options.quiet = true;
  const auto [outcomes, note, trouble] = launch_local(jobs, options);
  if (!trouble.empty()) throw Error("measuring the speed failed: " + trouble);
  std::vector<MeasuredSpeed> speeds;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (outcomes[i].state == JobState::kWaiting) continue;
    if (outcomes[i].state != JobState::kDone)
      throw Error("measuring the speed failed: " + outcomes[i].message);
    const fs::path log = job_log(jobs[i], options.runs);
    const Json said = parse_json(read_file(log), log.string());
    speeds.push_back({.kind = speed_key(*examples[i]),
                      .flops_per_token = flops_per_token(*examples[i]),
                      .tokens_per_second = said.at("tokens_per_second")});
  }
  return speeds;
}

std::optional<MachineSpeeds> calibrate(const SweepPlan& plan, const LaunchOptions& options) {
  LaunchOptions until_then = options;
  until_then.seconds = kCalibrationSeconds;
  MachineSpeeds speeds{
      .processor = processor_name(), .cores = hardware_threads(), .processes = options.parallel};
  const size_t most = kMeasurements * static_cast<size_t>(options.parallel);
  speeds.kinds = measure_speeds(selection(kinds_of(plan), most), until_then);
  if (options.stop && *options.stop) return std::nullopt;
  if (speeds.kinds.empty())
    throw Error(
        fmt::format("--calibrate: two steps of a run take more than {} s on this machine; "
                    "give its speed with --rate instead",
                    kCalibrationSeconds));
  keep(speeds, options.runs);
  return speeds;
}

std::optional<MachineSpeeds> kept_speeds(const fs::path& runs, int processes) {
  const MachineSpeeds here{.processor = processor_name(), .cores = hardware_threads()};
  std::optional<MachineSpeeds> found;
  for (const MachineSpeeds& each : read_speeds(runs).machines) {
    if (each.name() != here.name() || each.kinds.empty()) continue;
    if (!found || each.processes == processes) found = each;
  }
  return found;
}

Rates rates_from(const MachineSpeeds& speeds, const SweepPlan& plan) {
  Rates rates;
  for (const PlannedRun* run : kinds_of(plan)) {
    const std::string kind = speed_key(*run);
    const double flops = flops_per_token(*run);
    const auto difference = [&](const MeasuredSpeed& other) {
      if (other.kind == kind) return -1.0;
      constexpr double kOtherPrecision = 100;  // more than any difference in size
      return std::abs(std::log(other.flops_per_token / flops)) +
             (precision_of(other.kind) == precision_of(kind) ? 0 : kOtherPrecision);
    };
    const MeasuredSpeed& nearest = *std::min_element(
        speeds.kinds.begin(), speeds.kinds.end(),
        [&](const auto& a, const auto& b) { return difference(a) < difference(b); });
    rates[kind] = nearest.tokens_per_second * nearest.flops_per_token / flops;
  }
  return rates;
}

Rates rates_at(double tokens_per_second, const SweepPlan& plan) {
  const std::vector<const PlannedRun*> kinds = kinds_of(plan);
  double fewest = std::numeric_limits<double>::infinity();
  for (const PlannedRun* run : kinds) fewest = std::min(fewest, flops_per_token(*run));
  Rates rates;
  for (const PlannedRun* run : kinds)
    rates[speed_key(*run)] = tokens_per_second * fewest / flops_per_token(*run);
  return rates;
}

}  // namespace bitlaw
