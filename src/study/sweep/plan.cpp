#include "sweep/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/config.h"
#include "base/error.h"
#include "quantize/cell.h"
#include "train/kept_checkpoints.h"
#include "train/memory.h"
#include "train/trunk.h"

namespace bitlaw {
namespace {

PlannedRun resolve_cell(const Cell& cell, const TrainConfig& config, const DatasetInfo& data) {
  PlannedRun run{cell, resolve(config, data)};
  const TrainConfig& resolved = run.resolved.config;
  run.name = run.resolved.name();
  run.flops =
      resolved.model.training_flops_per_token() * static_cast<double>(resolved.train.tokens);
  run.trunk = trunk_name(run.resolved);
  return run;
}

// Cells may differ in spelling alone ("4", "int4"); they are one run.
void resolve_cells(SweepPlan& plan) {
  plan.runs.clear();
  plan.repeated_cells = 0;
  for (const Cell& cell : plan.study.cells) {
    TrainConfig config;
    fill(config, cell.config, plan.study.name + ": " + cell.label);
    if (config.data.path.empty())
      throw Error(fmt::format("{}: data.path is not set; give it in [base]", plan.study.name));
    DatasetInfo& data = plan.data[config.data.path];
    if (data.hash.empty()) data = Dataset::open(config.data.path).info();
    PlannedRun run = resolve_cell(cell, config, data);
    const bool twice = std::any_of(plan.runs.begin(), plan.runs.end(),
                                   [&](const PlannedRun& other) { return other.name == run.name; });
    if (twice)
      ++plan.repeated_cells;
    else
      plan.runs.push_back(std::move(run));
  }
}

void add_notes(SweepPlan& plan) {
  std::vector<std::string> all = notes_on_old_names(plan.grid);
  if (plan.repeated_cells > 0) {
    all.push_back(fmt::format(
        "{} of the {} cells are runs that other cells name with other words; each run is made once",
        plan.repeated_cells, plan.study.cells.size()));
  }
  for (const Cell& cell : plan.study.cells) {
    TrainConfig config;
    fill(config, cell.config, plan.study.name);
    for (std::string& note : notes_on_old_names(config.recipe)) all.push_back(std::move(note));
  }
  for (std::string& note : all) {
    if (std::find(plan.notes.begin(), plan.notes.end(), note) == plan.notes.end())
      plan.notes.push_back(std::move(note));
  }
}

Job train_job(const PlannedRun& run, int64_t checkpoints) {
  return {.kind = JobKind::kTrain,
          .name = run.cell.label.empty() ? run.name : run.cell.label,
          .run = run.name,
          .configuration = run.cell.config,
          .tokens = run.resolved.config.train.tokens,
          .checkpoints = checkpoints,
          .share = !run.trunk.empty(),
          .cost = run.flops};
}

// The longest run of each trunk, by its name.
std::map<std::string, const PlannedRun*> trunks_of(const SweepPlan& plan) {
  std::map<std::string, const PlannedRun*> longest;
  for (const PlannedRun& run : plan.runs) {
    if (run.trunk.empty()) continue;
    const PlannedRun*& trunk = longest[run.trunk];
    if (trunk == nullptr || run.resolved.steps > trunk->resolved.steps) trunk = &run;
  }
  return longest;
}

// Each branch waits until its trunk has come to where it begins.
void join_trunks(std::vector<Job>& jobs, const SweepPlan& plan) {
  std::map<std::string, int> training;  // job by run
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].kind == JobKind::kTrain) training[jobs[i].run] = static_cast<int>(i);
  }
  const std::map<std::string, const PlannedRun*> trunks = trunks_of(plan);
  for (const PlannedRun& run : plan.runs) {
    if (run.trunk.empty()) continue;
    const PlannedRun& trunk = *trunks.at(run.trunk);
    const int64_t begin = std::min(trunk_steps(run.resolved), trunk_steps(trunk.resolved));
    if (run.name == trunk.name || begin == 0) continue;
    const int trunk_job = training.at(trunk.name);
    Job& branch = jobs[static_cast<size_t>(training.at(run.name))];
    std::vector<int64_t>& steps = jobs[static_cast<size_t>(trunk_job)].share_steps;
    if (std::find(steps.begin(), steps.end(), begin) == steps.end()) steps.push_back(begin);
    branch.trunk = trunk_job;
    branch.trunk_tokens = begin * run.resolved.config.train.batch_tokens;
    branch.trunk_state = trunk_place("", run.trunk, begin);
    branch.cost *= 1 - static_cast<double>(begin) / static_cast<double>(run.resolved.steps);
  }
}

Job quantize_job(const SweepPlan& plan, const PlannedRun& run, const std::string& name, int after) {
  // A forward pass is a third of a training step; the unquantized model is evaluated, too.
  const double evaluated = static_cast<double>(quantized_models(plan, run)) *
                           (plan.grid_cells + 1.0) *
                           static_cast<double>(plan.grid.evaluation_tokens) / 3;
  return {.kind = JobKind::kQuantize,
          .name = name + " (quantize)",
          .run = run.name,
          .grid = plan.grid,
          .cost = run.resolved.config.model.training_flops_per_token() * evaluated,
          .after = after};
}

// The study file with all overrides but one; study.size() leaves out none.
Json study_document(const std::vector<std::string>& study, size_t without) {
  Json document = read_toml(study[0]);
  for (size_t i = 1; i < study.size(); ++i) {
    if (i != without) apply_override(document, study[i]);
  }
  return document;
}

Study study_of(const Json& document, const std::string& where) {
  return expand_study(document, where, to_json(TrainConfig{}));
}

bool same_cells(const Study& a, const Study& b) {
  return a.name == b.name && a.checkpoints == b.checkpoints && a.ptq == b.ptq &&
         std::equal(a.cells.begin(), a.cells.end(), b.cells.begin(), b.cells.end(),
                    [](const Cell& one, const Cell& other) {
                      return one.config == other.config && one.quantize == other.quantize;
                    });
}

// Whoever overrides what every cell sets by itself expects something else than what happens.
void must_have_effects(const std::vector<std::string>& study, const Json& document,
                       const Study& expanded) {
  for (size_t i = 1; i < study.size(); ++i) {
    const Json without = study_document(study, i);
    if (without == document) continue;  // says what the file says
    try {
      if (!same_cells(study_of(without, study[0]), expanded)) continue;
    } catch (const Error&) {  // only with this one is it a study
      continue;
    }
    throw Error(
        fmt::format("{}: has no effect, because every cell of {} sets this key in its [[grid]]; "
                    "change it there",
                    study[i], study[0]));
  }
}

}  // namespace

SweepPlan plan_sweep(const std::vector<std::string>& study, const std::string& directory) {
  BITLAW_CHECK(!study.empty());
  const Json document = study_document(study, study.size());
  SweepPlan plan;
  plan.study = study_of(document, study[0]);
  must_have_effects(study, document, plan.study);
  if (!plan.study.ptq.is_null()) {
    fill(plan.grid, plan.study.ptq, study[0] + " [ptq]");
    plan.grid_cells = static_cast<int>(ptq_cells(plan.grid).size());
    if (plan.grid.along && plan.study.checkpoints == 0) {
      throw Error(
          study[0] +
          " [ptq]: along = true quantizes the models kept along each run, and none is kept; "
          "give checkpoints = 4, for example, above the sections");
    }
  }
  plan.directory = directory;
  if (directory.empty()) plan.directory = std::filesystem::path("runs") / plan.study.name;
  resolve_cells(plan);
  add_notes(plan);
  return plan;
}

void scale_tokens(SweepPlan& plan, double scale) {
  for (Cell& cell : plan.study.cells) {
    TrainConfig config;
    fill(config, cell.config, plan.study.name);
    if (config.schedule.warmup_steps > 0) {
      cell.config["schedule"]["warmup_steps"] = std::max<int64_t>(
          1, std::llround(scale * static_cast<double>(config.schedule.warmup_steps)));
    }
    cell.config["train"]["tokens"] =
        std::max<int64_t>(std::max(config.train.batch_tokens, config.model.sequence) * 10,
                          std::llround(scale * static_cast<double>(config.train.tokens)));
  }
  resolve_cells(plan);
}

int64_t quantized_models(const SweepPlan& plan, const PlannedRun& run) {
  if (!plan.grid.along) return 1;
  const RunOptions options{.checkpoints = plan.study.checkpoints};
  const ResolvedConfig& resolved = run.resolved;
  return 1 + std::ssize(kept_steps(options, resolved.steps, resolved.config.train.batch_tokens));
}

std::vector<Job> make_jobs(const SweepPlan& plan) {
  std::vector<Job> jobs;
  for (const PlannedRun& run : plan.runs) {
    jobs.push_back(train_job(run, plan.study.checkpoints));
    if (!run.cell.quantize) continue;
    const std::string name = jobs.back().name;
    jobs.push_back(quantize_job(plan, run, name, static_cast<int>(jobs.size()) - 1));
  }
  // A run that keeps models along it trains them itself.
  if (plan.study.checkpoints == 0) join_trunks(jobs, plan);
  return jobs;
}

void predict_memory(std::vector<Job>& jobs, const SweepPlan& plan) {
  std::map<std::string, const PlannedRun*> runs;
  for (const PlannedRun& run : plan.runs) runs[run.name] = &run;
  for (Job& job : jobs) {
    if (job.kind != JobKind::kTrain || is_done(job, plan.directory)) continue;
    const PlannedRun& run = *runs.at(job.run);
    TrainConfig as_given;
    fill(as_given, run.cell.config, plan.study.name);
    const DatasetInfo& data = plan.data.at(as_given.data.path);
    job.memory_bytes = plan_memory(run.resolved, data, 1).total_bytes();
  }
}

}  // namespace bitlaw
