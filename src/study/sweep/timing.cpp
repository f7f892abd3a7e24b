#include "sweep/timing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "work/queue.h"

namespace bitlaw {
namespace {

constexpr double kLeastScale = 0.001;  // of a study's tokens

// Evaluation costs a third of training per token, comparing token by token a little more, a
// calibration as much; starting a process and writing a run takes about half a second.
constexpr double kForward = 1.0 / 3, kCompare = 0.4, kCalibrate = 1, kStartSeconds = 0.5;

double train_seconds(const PlannedRun& run, int64_t trunk_tokens, double rate) {
  const TrainingConfig& train = run.resolved.config.train;
  const double tokens = static_cast<double>(train.tokens - trunk_tokens) +
                        kForward * static_cast<double>(train.validation_tokens);
  return kStartSeconds + tokens / rate;
}

double quantize_seconds(const SweepPlan& plan, const PlannedRun& run, double rate) {
  const PtqConfig& grid = plan.grid;
  const double compared = (plan.grid_cells + 1.0) * static_cast<double>(grid.evaluation_tokens);
  const double calibrated = static_cast<double>(grid.calibration_seeds.size()) *
                            static_cast<double>(grid.calibration_tokens);
  return kStartSeconds + static_cast<double>(quantized_models(plan, run)) *
                             (kCompare * compared + kCalibrate * calibrated) / rate;
}

}  // namespace

std::string speed_key(const PlannedRun& run) {
  const ModelConfig& model = run.resolved.config.model;
  const Recipe& recipe = run.resolved.recipe;
  // The batch as given: one that follows D changes with the scale, and the speed little with it.
  std::string key = fmt::format(
      "{}x{} heads {}/{} hidden {} vocabulary {} sequence {}{}{} batch {} {}", model.width,
      model.layers, model.heads, model.kv_heads, model.hidden, model.vocabulary, model.sequence,
      model.tied_head ? " tied" : "", model.extra_norm ? " extra-norm" : "",
      run.given.train.batch_tokens, run.resolved.config.train.backward);
  for (const Quantizer* part :
       {&recipe.weights, &recipe.activations, &recipe.keys, &recipe.values, &recipe.queries}) {
    Quantizer kind = *part;
    if (kind.format.kind == FormatKind::kInteger) kind.format.bits = 8;
    key += " " + kind.name();
  }
  return key;
}

std::vector<Job> jobs_in_seconds(const SweepPlan& plan, const Rates& rates, size_t cells) {
  std::unordered_map<std::string, const PlannedRun*> runs;
  for (const PlannedRun& run : plan.runs) runs[run.name] = &run;
  std::vector<Job> jobs = make_jobs(plan, cells);
  for (Job& job : jobs) {
    const PlannedRun& run = *runs.at(job.run);
    const double rate = rates.at(speed_key(run));
    job.cost = job.kind == JobKind::kTrain ? train_seconds(run, job.trunk_tokens, rate)
                                           : quantize_seconds(plan, run, rate);
  }
  return jobs;
}

double planned_seconds(const SweepPlan& plan, const Rates& rates, int parallel) {
  return planned_duration(jobs_in_seconds(plan, rates), parallel);
}

double planned_seconds_at(SweepPlan plan, double scale, const Rates& rates, int parallel) {
  scale_tokens(plan, scale);
  return planned_seconds(plan, rates, parallel);
}

double scale_that_fits(const SweepPlan& plan, const Rates& rates, int parallel, double seconds) {
  const auto fits = [&](double scale) {
    return planned_seconds_at(plan, scale, rates, parallel) <= seconds;
  };
  if (fits(1)) return 1;
  double low = 0, high = 1;  // tokens have a least value, so time is not quite proportional
  for (int i = 0; i < 12; ++i) {
    const double middle = (low + high) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return std::max(kLeastScale, std::floor(low * 1000) / 1000);
}

}  // namespace bitlaw
