#include "sweep/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "record/result.h"
#include "sweep/launch_plan.h"
#include "sweep/look.h"
#include "sweep/plan.h"
#include "train/batch.h"
#include "train/kept_checkpoints.h"
#include "train/repetition.h"
#include "work/failure.h"
#include "work/outcome.h"

namespace bitlaw {
namespace {

using Clock = std::chrono::steady_clock;

int& counter_of(JobState state, SweepResult& result) {
  switch (state) {
    case JobState::kDone:
      return result.done;
    case JobState::kFailed:
      return result.failed;
    case JobState::kSkipped:
      return result.skipped;
    case JobState::kWaiting:
    case JobState::kRunning:  // where the launcher did not wait for it
      break;
  }
  return result.waiting;
}

void count_jobs(const std::vector<Job>& jobs, const Launched& launched,
                const LaunchOptions& options, SweepResult& result) {
  result.jobs = static_cast<int>(jobs.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    const JobOutcome& outcome = launched.outcomes[i];
    ++counter_of(outcome.state, result);
    if (outcome.state != JobState::kFailed) continue;
    result.failures.push_back({jobs[i].name, outcome.exit_code, outcome.message,
                               job_log(jobs[i], options.runs).string()});
  }
}

SweepCell cell_of(const PlannedRun& run, const CellState& state) {
  const TrainConfig& config = run.resolved.config;
  return {.run = run.name,
          .label = run.cell.label,
          .status = state.status,
          .detail = state.detail,
          .N = config.model.parameters(),
          .D = config.train.tokens,
          .flops = run.flops,
          .quantize = run.cell.quantize};
}

// "text repeats in 3 of 12 runs, up to 4.1 epochs"; "" if no run sees a token twice.
std::string repetition_note(const SweepPlan& plan) {
  size_t repeat = 0;
  double most = 0;
  for (const PlannedRun& run : plan.runs) {
    const double passes = epochs(run.resolved, plan.data_of(run));
    repeat += passes > 1;
    most = std::max(most, passes);
  }
  if (repeat == 0) return "";
  return fmt::format("text repeats in {} of {} runs, up to {:.3g} epochs", repeat, plan.runs.size(),
                     most);
}

// "fewer than 1,000 steps in 3 of 12 runs, 244 at least"; "" if there are none.
std::string few_steps_note(const SweepPlan& plan) {
  const auto few = [](const PlannedRun& run) { return run.resolved.steps < kTooFewSteps; };
  const auto count = std::count_if(plan.runs.begin(), plan.runs.end(), few);
  if (count == 0) return "";
  const auto shortest = std::min_element(
      plan.runs.begin(), plan.runs.end(),
      [](const auto& a, const auto& b) { return a.resolved.steps < b.resolved.steps; });
  return fmt::format(
      "fewer than {} steps in {} of {} runs, {} in the shortest: their losses depend on the "
      "learning "
      "rate and the batch as much as on the tokens",
      kTooFewSteps, count, plan.runs.size(), shortest->resolved.steps);
}

// That of the first run that has one.
std::string cut_documents_note(const SweepPlan& plan) {
  for (const PlannedRun& run : plan.runs) {
    std::string note = cut_documents_note(run.resolved, plan.data_of(run));
    if (!note.empty()) return note;
  }
  return "";
}

// "" if every run has as many steps as the models along it need.
std::string few_models_note(const SweepPlan& plan) {
  if (plan.study.checkpoints == 0) return "";
  const RunOptions options{.checkpoints = plan.study.checkpoints};
  const auto lacks = [&](const PlannedRun& run) {
    return !few_checkpoints_note(options, run.resolved.steps).empty();
  };
  const auto count = std::count_if(plan.runs.begin(), plan.runs.end(), lacks);
  if (count == 0) return "";
  return fmt::format("{} of {} runs have too few steps to be halved {} times and keep fewer models",
                     count, plan.runs.size(), plan.study.checkpoints);
}

// "2 trunks: 6 of 9 runs begin where another run has been, which saves 27 % of the training"; "" if
// none does.
std::string trunk_note(const std::vector<Job>& jobs, const SweepPlan& plan) {
  double alone = 0, shared = 0;
  size_t branches = 0;
  std::set<int> trunks;
  for (const PlannedRun& run : plan.runs) alone += run.table.empty() ? run.flops : 0;
  for (const Job& job : jobs) {
    if (job.kind != JobKind::kTrain) continue;
    shared += job.cost;
    if (job.trunk < 0) continue;
    ++branches;
    trunks.insert(job.trunk);
  }
  if (branches == 0) return "";
  return fmt::format(
      "{} trunk{}: {} of {} runs begin where a longer one has been, which saves {:.0f} % of the "
      "training",
      trunks.size(), trunks.size() == 1 ? "" : "s", branches, plan.runs.size(),
      100 * (1 - shared / alone));
}

bool is_finished(const std::filesystem::path& run) {
  try {
    return run_status(run) == RunStatus::kFinished;
  } catch (const Error&) {  // its job says what is wrong
    return false;
  }
}

// "" if no finished run lacks a model along it that the study asks for.
std::string missing_models_note(const SweepPlan& plan) {
  if (plan.study.checkpoints == 0) return "";
  const RunOptions options{.checkpoints = plan.study.checkpoints};
  const auto lacks = [&](const PlannedRun& run) {
    const std::filesystem::path place = plan.directory / run.name;
    const int64_t batch_tokens = run.resolved.config.train.batch_tokens;
    return is_finished(place) &&
           missing_checkpoints(place, kept_steps(options, run.resolved.steps, batch_tokens),
                               batch_tokens) > 0;
  };
  const auto count = std::count_if(plan.runs.begin(), plan.runs.end(), lacks);
  if (count == 0) return "";
  return fmt::format(
      "{} of {} runs have finished without all models along them that the study asks for; sweep "
      "into "
      "another directory (--runs) to get them",
      count, plan.runs.size());
}

// What the launcher would write or call, of a sweep that is to start or to be shown.
std::string script_of(std::vector<Job> jobs, const SweepPlan& plan, const SweepOptions& options,
                      const LaunchOptions& launch_options) {
  if (options.launcher->script == nullptr || (options.look_only && !options.show_script)) return "";
  predict_memory(jobs, plan);
  return options.launcher->script(jobs, launch_options);
}

// How many workers the launcher lets run at the same time.
int workers_at_once(const SweepOptions& options) {
  const ClusterOptions& cluster = options.cluster;
  if (cluster.ranks > 0) return cluster.ranks;
  if (options.launcher->script == nullptr) return 1;
  return cluster.at_once > 0 ? std::min(cluster.at_once, cluster.tasks) : cluster.tasks;
}

void retry(const std::vector<Job>& jobs, const std::filesystem::path& runs, const SweepNote& note) {
  const auto count = std::count_if(jobs.begin(), jobs.end(),
                                   [&](const Job& job) { return forget_failure(job, runs); });
  note(fmt::format("{} failed jobs are tried again", count));
}

}  // namespace

SweepResult sweep(const SweepOptions& options, const SweepNote& note) {
  const Clock::time_point start = Clock::now();
  SweepPlan plan = plan_sweep(options.study, options.runs);
  if (options.minutes > 0 && !(options.selection.budget + plan.study.budget).empty())
    throw Error("--minutes shrinks the study to a time, and the budget does too; leave one out");
  LaunchOptions launch_options(WorkOptions{.runs = plan.directory,
                                           .program = options.program,
                                           .parallel = options.jobs,
                                           .quiet = options.quiet,
                                           .label = plan.study.name,
                                           .stop = options.stop,
                                           .seconds = options.seconds,
                                           .memory_bytes = options.memory_bytes,
                                           .nice = options.nice,
                                           .order = options.order,
                                           .lease_seconds = options.lease_seconds,
                                           .tensorboard = options.tensorboard,
                                           .advisor = options.advisor});
  launch_options.cluster = options.cluster;
  SweepResult result{.study = plan.study.name, .runs = plan.directory.string()};
  bool stopped = false;
  if (options.minutes > 0 && options.look_only) {
    const auto scale = decided_scale(plan, options.minutes);
    if (!scale)
      note(
          fmt::format("tokens are those of the study file: how much fits into {} minutes is "
                      "measured when the sweep starts",
                      options.minutes));
    result.scale = scale.value_or(1);
    if (scale) scale_tokens(plan, *scale);
  } else if (options.minutes > 0) {
    const auto scale = scale_for_minutes(plan, options.minutes, launch_options, note);
    stopped = !scale;
    result.scale = scale.value_or(1);
    if (scale) scale_tokens(plan, *scale);
  }
  SelectionOptions selection = options.selection;
  selection.may_measure = !options.look_only && !stopped;
  const auto speeds = select_cells(plan, selection, launch_options, note);
  stopped = stopped || (options.stop && *options.stop);
  for (const std::string& sentence : plan.notes) note("note: " + sentence);
  const std::vector<Job> jobs = make_jobs(plan);
  const std::string script = script_of(jobs, plan, options, launch_options);
  if (options.show_script) result.script = script;
  if (options.retry && !options.look_only) retry(jobs, plan.directory, note);
  for (const std::string& sentence :
       {repetition_note(plan), few_steps_note(plan), cut_documents_note(plan),
        few_models_note(plan), missing_models_note(plan), trunk_note(jobs, plan)}) {
    if (!sentence.empty()) note("note: " + sentence);
  }
  const Launched launched = options.look_only || stopped
                                ? Launched{outcomes_so_far(jobs, plan.directory), ""}
                                : launch_plan(jobs, plan, *options.launcher, launch_options, start);
  count_jobs(jobs, launched, launch_options, result);
  result.note = launched.note;
  result.trouble = launched.trouble;
  const std::vector<CellState> states = cell_states(plan, jobs, launched.outcomes);
  for (size_t i = 0; i < plan.runs.size(); ++i)
    result.cells.push_back(cell_of(plan.runs[i], states[i]));
  if (options.forecast) {
    result.forecast = forecast(plan, launched.outcomes,
                               {.processes = options.jobs * workers_at_once(options),
                                .rates = speeds ? speeds->rates : Rates{},
                                .speeds = speeds ? speeds->from : "",
                                .price_per_core_hour = options.price_per_core_hour});
  }
  return result;
}

}  // namespace bitlaw
