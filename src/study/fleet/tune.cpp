#include "fleet/tune.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "fleet/halving.h"
#include "record/result.h"
#include "record/tuning_marks.h"
#include "sweep/conditions.h"
#include "sweep/launch_plan.h"
#include "sweep/paths.h"
#include "sweep/plan.h"
#include "work/failure.h"

namespace bitlaw {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::infinity();

// The configurations of one size, token count and precision.
struct Fleet {
  std::string label;
  size_t grid = 0;
  std::vector<size_t> runs;  // of the plan
};

bool is_range_key(const std::vector<GridRange>& ranges, const std::string& key) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const GridRange& range) { return range.key == key; });
}

std::string fleet_label(const Cell& cell, const std::vector<GridRange>& ranges) {
  std::string label;
  for (const auto& [key, value] : cell.choices) {
    if (!is_range_key(ranges, key))
      label += fmt::format("{}{}={}", label.empty() ? "" : " ", key, value);
  }
  return label;
}

std::vector<Fleet> fleets_of(const SweepPlan& plan) {
  std::vector<Fleet> fleets;
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    const Cell& cell = plan.runs[i].cell;
    const std::vector<GridRange>& ranges = plan.study.ranges[cell.grid];
    if (ranges.empty()) continue;
    const std::string label = fleet_label(cell, ranges);
    auto fleet = std::find_if(fleets.begin(), fleets.end(), [&](const Fleet& each) {
      return each.label == label && each.grid == cell.grid;
    });
    if (fleet == fleets.end()) fleet = fleets.insert(fleets.end(), {label, cell.grid, {}});
    fleet->runs.push_back(i);
  }
  return fleets;
}

SweepPlan plan_of(const TuneOptions& options) {
  SweepPlan plan = plan_sweep(options.sweep.study, options.sweep.runs);
  std::vector<bool> keep;
  for (PlannedRun& run : plan.runs) {
    run.cell.quantize = false;
    keep.push_back(!plan.study.ranges[run.cell.grid].empty());
  }
  if (std::find(keep.begin(), keep.end(), true) == keep.end()) {
    throw Error(
        fmt::format("{}: no [[grid]] has a range, so there is nothing to tune; give one, for "
                    "example points = 64 "
                    "and \"train.lr\" = {{ from = 1e-3, to = 0.1, scale = \"log\" }}",
                    options.sweep.study[0]));
  }
  keep_cells(plan, keep);
  plan.study.checkpoints = 0;
  return plan;
}

// What a run came to.
struct Ended {
  bool diverged = false;
  std::optional<double> loss = std::nullopt;
};

// The runs of published tables, by their names.
std::map<std::string, Ended> ended_runs(const std::vector<std::string>& tables) {
  std::map<std::string, Ended> out;
  for (const std::string& table : tables) {
    size_t runs = 0;
    for (const TidyRow& row : tidy_from_csv(read_file(table), table)) {
      const bool diverged = row.status == "diverged";
      if (!row.is_run() || row.run.empty() || row.is_along()) continue;
      if (!diverged && row.status != "finished") continue;
      Ended& ended = out[row.run] = {.diverged = diverged};
      if (std::isfinite(row.loss)) ended.loss = row.loss;
      ++runs;
    }
    if (runs == 0) {
      throw Error(
          fmt::format("--have {}: no run has ended in it; expected a table of `bitlaw publish` "
                      "or `bitlaw runs --csv`, with the columns run, status, method and loss",
                      table));
    }
  }
  return out;
}

// Runs of some cells of a plan, and their losses.
struct Stage {
  std::vector<double> losses;  // of each run of the plan; infinite: not of this stage, or diverged
  std::vector<std::string> names;  // of its run in this stage; "" without one
  std::vector<bool> diverged;
  double scale = 1;
};

class Tuning {
 public:
  Tuning(const TuneOptions& options, const SweepNote& note)
      : options_(options),
        note_(note),
        plan_(plan_of(options)),
        fleets_(fleets_of(plan_)),
        have_(ended_runs(options.have)) {
    result_.study = plan_.study.name;
    result_.runs = plan_.directory.string();
  }

  TuneResult run() {
    for (const std::string& sentence : plan_.notes) note_("note: " + sentence);
    say_what_is_shared();
    if (!have_.empty()) note_(fmt::format("note: {} runs stand in --have", have_.size()));
    const bool ended = halve() && replicate();
    result_.complete = ended && result_.failed == 0;
    report();
    return std::move(result_);
  }

 private:
  void say_what_is_shared() const {
    const bool shares = std::any_of(plan_.runs.begin(), plan_.runs.end(),
                                    [](const PlannedRun& run) { return !run.trunk.empty(); });
    if (shares || options_.halvings == 0) return;
    note_(
        "note: each round of halving trains its configurations from the beginning; with "
        "schedule.kind = \"wsd\", schedule.warmup_steps, train.batch_tokens and "
        "optimizer.batch_power = 0 they would go on from where they were");
  }

  // The plan of some of the runs at a share of their tokens.
  SweepPlan part(const std::vector<bool>& keep, double scale) const {
    SweepPlan plan = plan_;
    keep_cells(plan, keep);
    scale_tokens(plan, scale, WarmUp::kKept);
    return plan;
  }

  // False if it did not come to its end.
  bool launch(SweepPlan plan, const std::string& label) {
    const SweepOptions& sweep = options_.sweep;
    std::vector<bool> wanted;
    for (const PlannedRun& run : plan.runs) wanted.push_back(!have_.contains(run.name));
    keep_cells(plan, wanted);
    std::vector<Job> jobs = make_jobs(plan);
    std::vector<std::string> names;
    for (const PlannedRun& run : plan.runs) names.push_back(run.name);
    Launched launched;
    if (sweep.look_only) {
      launched.outcomes = outcomes_so_far(jobs, plan.directory);
    } else {
      mark_as_tuning(plan.directory, names);
      if (sweep.retry) {
        for (const Job& job : jobs) forget_failure(job, plan.directory);
      }
      launched = launch_plan(jobs, plan, *sweep.launcher,
                             WorkOptions{.runs = plan.directory,
                                         .program = sweep.program,
                                         .parallel = sweep.jobs,
                                         .quiet = sweep.quiet,
                                         .label = label,
                                         .stop = sweep.stop,
                                         .seconds = seconds_left(),
                                         .memory_bytes = sweep.memory_bytes,
                                         .nice = sweep.nice,
                                         .order = sweep.order,
                                         .lease_seconds = sweep.lease_seconds});
    }
    result_.jobs += std::ssize(jobs);
    result_.trouble = launched.trouble;
    bool ended = launched.trouble.empty();
    for (const JobOutcome& outcome : launched.outcomes) {
      result_.failed += outcome.state == JobState::kFailed;
      ended = ended && outcome.state != JobState::kWaiting && outcome.state != JobState::kRunning;
    }
    return ended;
  }

  // Of the time that `--for` gives to all rounds together; 0: no limit.
  double seconds_left() const {
    if (options_.sweep.seconds <= 0) return 0;
    const std::chrono::duration<double> gone = std::chrono::steady_clock::now() - begin_;
    return std::max(1e-3, options_.sweep.seconds - gone.count());
  }

  bool run_stage(const std::vector<bool>& keep, double scale, const std::string& label) {
    const SweepPlan plan = part(keep, scale);
    const bool ended = launch(plan, label);
    Stage stage{.losses = std::vector<double>(plan_.runs.size(), kUnknown),
                .names = std::vector<std::string>(plan_.runs.size()),
                .diverged = std::vector<bool>(plan_.runs.size(), false),
                .scale = scale};
    for (const PlannedRun& run : plan.runs) {
      const size_t i = index_of(run.cell.label);
      stage.names[i] = run.name;
      const std::optional<Ended> ended = ended_run(run.name);
      if (!ended) continue;
      stage.diverged[i] = ended->diverged;
      if (ended->loss) stage.losses[i] = *ended->loss;
    }
    stages_.push_back(std::move(stage));
    return ended;
  }

  // Cells keep their labels, whatever their tokens are.
  size_t index_of(const std::string& label) const {
    for (size_t i = 0; i < plan_.runs.size(); ++i) {
      if (plan_.runs[i].cell.label == label) return i;
    }
    throw Error("a cell without a label cannot be tuned: " + label);
  }

  // Here, or in a published table.
  std::optional<Ended> ended_run(const std::string& name) const {
    const auto published = have_.find(name);
    if (published != have_.end()) return published->second;
    try {
      const std::optional<ResultRecord> result = read_result(plan_.directory / name);
      if (!result) return std::nullopt;
      Ended out{.diverged = result->status == RunStatus::kDiverged};
      if (result->validation) out.loss = result->validation->loss_nats;
      return out;
    } catch (const Error&) {
      return std::nullopt;  // its job has failed, and says why
    }
  }

  bool halve() {
    std::vector<bool> keep(plan_.runs.size(), true);
    for (int64_t round = 0; round <= options_.halvings; ++round) {
      const double scale = std::pow(0.5, static_cast<double>(options_.halvings - round));
      const std::string label =
          fmt::format("{} {}/{}", plan_.study.name, round + 1, options_.halvings + 1);
      if (!run_stage(keep, scale, label)) return false;
      if (round < options_.halvings) keep_better_halves(keep);
    }
    return true;
  }

  void keep_better_halves(std::vector<bool>& keep) const {
    for (const Fleet& fleet : fleets_) {
      std::vector<double> losses;
      std::vector<size_t> runs;
      for (const size_t i : fleet.runs) {
        if (!keep[i]) continue;
        runs.push_back(i);
        losses.push_back(stages_.back().losses[i]);
      }
      const std::vector<bool> goes_on = better_half(losses);
      for (size_t k = 0; k < runs.size(); ++k) keep[runs[k]] = goes_on[k];
    }
  }

  // The best three of each fleet with other seeds.
  bool replicate() {
    if (options_.replicates == 0) return true;
    constexpr size_t kBest = 3;
    SweepPlan plan = plan_;
    plan.study.cells.clear();
    for (const Fleet& fleet : fleets_) {
      std::vector<double> losses;
      for (const size_t i : fleet.runs) losses.push_back(stages_.back().losses[i]);
      for (const size_t k : best_of(losses, kBest)) {
        for (int64_t seed = 1; seed <= options_.replicates; ++seed) {
          const size_t i = fleet.runs[k];
          Cell cell = plan_.runs[i].cell;
          const int64_t other = plan_.runs[i].resolved.config.train.seed + 1000 * seed;
          set_path(cell.config, "train.seed", other);
          cell.label += fmt::format(" train.seed={}", other);
          plan.study.cells.push_back(cell);
          replicates_.push_back({i, cell.label, ""});
        }
      }
    }
    if (replicates_.empty()) return true;
    scale_tokens(plan, 1, WarmUp::kKept);
    const bool ended = launch(plan, plan_.study.name + " seeds");
    for (const PlannedRun& run : plan.runs) {
      for (Replicate& replicate : replicates_) {
        if (replicate.label == run.cell.label) replicate.run = run.name;
      }
    }
    return ended;
  }

  // Losses of the other seeds of a configuration.
  std::vector<double> replicated(size_t i) const {
    std::vector<double> losses;
    for (const Replicate& replicate : replicates_) {
      if (replicate.of != i || replicate.run.empty()) continue;
      const auto ended = ended_run(replicate.run);
      if (ended && ended->loss) losses.push_back(*ended->loss);
    }
    return losses;
  }

  TuneFleet points_of(const Fleet& fleet, const Stage& stage) const {
    const PlannedRun& first = plan_.runs[fleet.runs[0]];
    const TidyRow row = planned_row(first, plan_.data_of(first));
    TuneFleet out{.label = fleet.label,
                  .N = static_cast<double>(first.resolved.config.model.parameters()),
                  .D = stage.scale * static_cast<double>(first.resolved.config.train.tokens),
                  .precision = fmt::format("W{:g}A{:g}KV{:g}", row.P_w, row.P_a, row.P_kv)};
    for (const GridRange& range : plan_.study.ranges[fleet.grid])
      out.axes.push_back({range.key, range.from, range.to, range.log});
    for (const size_t i : fleet.runs) {
      out.begun.push_back(stage.losses[i]);
      if (!std::isfinite(stage.losses[i])) continue;
      TunePoint point{.loss = stage.losses[i]};
      for (const TuneAxis& axis : out.axes) {
        const Json* value = find_path(plan_.runs[i].cell.config, axis.key);
        BITLAW_CHECK(value != nullptr);
        point.values.push_back(value->get<double>());
      }
      out.points.push_back(std::move(point));
    }
    return out;
  }

  FleetReport report_of(const Fleet& fleet, std::vector<TunedFleet>& tuned) {
    FleetReport report{.label = fleet.label, .configurations = std::ssize(fleet.runs)};
    TailOptions tail{.tolerance = options_.tolerance};
    std::vector<double> begun;
    for (const Stage& stage : stages_) {
      TunedFleet at{.fleet = points_of(fleet, stage)};
      at.surface = fit_surface(at.fleet);
      report.N = at.fleet.N;
      report.D = at.fleet.D;
      report.precision = at.fleet.precision;
      report.rungs.push_back({at.fleet.D, std::ssize(at.fleet.points), at.surface});
      for (const size_t i : fleet.runs) report.diverged += stage.diverged[i];
      begun = at.fleet.begun;
      // The later stages have the same configurations, so they are no further evidence of a rule.
      if (&stage == &stages_.front()) tuned.push_back(std::move(at));
    }
    add_best(fleet, report);
    tail.noise = report.noise;
    report.tail = fit_tail(std::move(begun), tail);
    return report;
  }

  void add_best(const Fleet& fleet, FleetReport& report) const {
    const Stage& last = stages_.back();
    std::vector<double> losses;
    for (const size_t i : fleet.runs) losses.push_back(last.losses[i]);
    double squares = 0;
    int64_t freedom = 0;
    std::optional<size_t> best;
    double best_mean = kUnknown;
    for (const size_t k : best_of(losses, 3)) {
      const size_t i = fleet.runs[k];
      const std::vector<double> others = replicated(i);
      double mean = losses[k];
      if (!others.empty()) {
        mean = 0;
        for (const double loss : others) mean += loss / static_cast<double>(others.size());
        for (const double loss : others) squares += (loss - mean) * (loss - mean);
        freedom += std::ssize(others) - 1;
      }
      if (best && mean >= best_mean) continue;
      best = i;
      best_mean = mean;
      report.best_loss = losses[k];
      report.replicated_loss = others.empty() ? kNoNumber : mean;
      report.replicated_error = kNoNumber;
    }
    if (!best) return;
    if (freedom > 0) {
      report.noise = std::sqrt(squares / static_cast<double>(freedom));
      report.replicated_error =
          report.noise / std::sqrt(static_cast<double>(replicated(*best).size()));
    }
    report.best_run = last.names[*best];
    for (const GridRange& range : plan_.study.ranges[fleet.grid]) {
      report.best.push_back(
          {range.key, find_path(plan_.runs[*best].cell.config, range.key)->get<double>()});
    }
  }

  void report() {
    if (stages_.empty()) return;
    std::vector<TunedFleet> tuned;
    for (const Fleet& fleet : fleets_) result_.fleets.push_back(report_of(fleet, tuned));
    const std::string full = precision_with_most_bits(tuned);
    result_.rules = tuning_rules(tuned, full);
    result_.shifts = bits_shifts(tuned, full);
    const auto enough = std::count_if(result_.fleets.begin(), result_.fleets.end(),
                                      [](const FleetReport& each) { return each.tail.enough; });
    result_.sentences.push_back(
        fmt::format("{} of {} fleets are tuned enough: with 90 % confidence their best loses at "
                    "most {:g} nats to "
                    "the best possible",
                    enough, result_.fleets.size(), options_.tolerance));
  }

  static std::string precision_with_most_bits(const std::vector<TunedFleet>& tuned) {
    constexpr const char* kFull = "W16A16KV16";
    for (const TunedFleet& each : tuned) {
      if (each.fleet.precision == kFull) return kFull;
    }
    return tuned.empty() ? "" : tuned[0].fleet.precision;
  }

  struct Replicate {
    size_t of = 0;  // run of the plan
    std::string label, run;
  };

  const TuneOptions& options_;
  const SweepNote& note_;
  const SweepPlan plan_;
  const std::vector<Fleet> fleets_;
  const std::map<std::string, Ended> have_;
  std::vector<Stage> stages_;
  std::vector<Replicate> replicates_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  TuneResult result_;
};

}  // namespace

TuneResult tune(const TuneOptions& options, const SweepNote& note) {
  return Tuning(options, note).run();
}

}  // namespace bitlaw
