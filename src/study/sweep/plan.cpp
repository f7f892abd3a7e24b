#include "sweep/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_map>
#include <utility>

#include "base/config.h"
#include "base/error.h"
#include "base/home.h"
#include "base/range.h"
#include "formats/named_recipe.h"
#include "quantize/cell.h"
#include "sweep/conditions.h"
#include "sweep/memory.h"
#include "train/kept_checkpoints.h"
#include "train/trunk.h"
#include "work/outcome.h"

namespace bitlaw {
namespace {

// "demo: size=small", or "demo".
std::string place_of(const Cell& cell, const std::string& study) {
  return cell.label.empty() ? study : study + ": " + cell.label;
}

PlannedRun resolve_cell(const Cell& cell, const TrainConfig& given, const DatasetInfo& data) {
  PlannedRun run{cell, given, resolve(given, data)};
  const TrainConfig& resolved = run.resolved.config;
  run.name = run.resolved.name();
  run.flops =
      resolved.model.training_flops_per_token() * static_cast<double>(resolved.train.tokens);
  run.trunk = trunk_name(run.resolved);
  return run;
}

TrainConfig config_of(const Cell& cell, const std::string& study) {
  TrainConfig config;
  fill(config, cell.config, place_of(cell, study));
  if (config.data.path.empty())
    throw Error(fmt::format("{}: data.path is not set; give it in [base]", study));
  config.data.path = expand_home(config.data.path);
  return config;
}

// Of a data set that is not there: long enough for every run.
DatasetInfo unknown_data() {
  DatasetInfo out;
  out.train.tokens = out.validation.tokens = kMostTokens;
  return out;
}

const DatasetInfo& open_data(const TrainConfig& config, MissingData missing, SweepPlan& plan) {
  const std::string& path = config.data.path;
  const auto [place, is_new] = plan.data.try_emplace(path);
  if (!is_new) return place->second;
  const bool may_be_unknown = missing == MissingData::kUnknown && !std::filesystem::exists(path);
  place->second = may_be_unknown ? unknown_data() : Dataset::open(path).info();
  return place->second;
}

void must_have_vocabulary(const TrainConfig& config, const DatasetInfo& data,
                          const std::string& study) {
  if (!data.hash.empty() || config.model.vocabulary > 0) return;
  throw Error(
      fmt::format("{0}: the vocabulary is that of the data set {1}, which is not there; add "
                  "base.model.vocabulary=512, for example, or make the data set",
                  study, config.data.path));
}

void add_once(std::vector<std::string> notes, std::vector<std::string>& all) {
  for (std::string& note : notes) {
    if (std::find(all.begin(), all.end(), note) == all.end()) all.push_back(std::move(note));
  }
}

// A run for each cell. Returns the notes on old names.
std::vector<std::string> resolve_cells(SweepPlan& plan,
                                       MissingData missing = MissingData::kRefused) {
  plan.runs.clear();
  std::vector<std::string> notes;
  for (const Cell& cell : plan.study.cells) {
    const TrainConfig config = config_of(cell, plan.study.name);
    add_once(notes_on_old_names(config.recipe), notes);
    const DatasetInfo& data = open_data(config, missing, plan);
    must_have_vocabulary(config, data, plan.study.name);
    try {
      plan.runs.push_back(resolve_cell(cell, config, data));
    } catch (const Error& error) {
      throw Error(fmt::format("{}: {}", place_of(cell, plan.study.name), error.what()));
    }
  }
  return notes;
}

// Cells may differ in spelling alone ("4", "int4"); they are one run.
void join_equal_runs(SweepPlan& plan) {
  plan.repeated_cells = 0;
  std::unordered_map<std::string, size_t> places;  // of runs that stay
  std::vector<PlannedRun> runs;
  for (PlannedRun& run : plan.runs) {
    const auto [place, is_new] = places.emplace(run.name, runs.size());
    if (is_new)
      runs.push_back(std::move(run));
    else if (runs[place->second].cell.config != run.cell.config)
      ++plan.repeated_cells;
  }
  plan.runs = std::move(runs);
}

// Leaves out the cells that do not fulfil what their grid requires.
void apply_require(SweepPlan& plan, const std::string& file) {
  std::vector<CellConditions> of_grid;
  for (const std::vector<std::string>& texts : plan.study.require)
    of_grid.emplace_back(file + ": require", texts, plan.study, plan.notes);
  std::map<std::string, size_t> failed;  // cells, by condition
  std::vector<bool> keep;
  for (const PlannedRun& run : plan.runs) {
    const CellConditions& conditions = of_grid.at(run.cell.grid);
    const std::vector<bool> hold = conditions.hold(run, plan.data_of(run));
    for (size_t i = 0; i < hold.size(); ++i) {
      if (!hold[i]) ++failed[conditions.texts()[i]];
    }
    keep.push_back(std::all_of(hold.begin(), hold.end(), [](bool holds) { return holds; }));
  }
  const auto kept = std::count(keep.begin(), keep.end(), true);
  if (std::cmp_equal(kept, keep.size())) return;
  std::vector<std::string> reasons;
  for (const auto& [condition, count] : failed)
    reasons.push_back(fmt::format("{} by '{}'", count, condition));
  const std::string why = fmt::format("{}", fmt::join(reasons, ", "));
  if (kept == 0)
    throw Error(fmt::format("{}: require leaves out all {} cells: {}", file, keep.size(), why));
  plan.notes.push_back(fmt::format("require leaves out {} of {} cells: {}", std::ssize(keep) - kept,
                                   keep.size(), why));
  keep_cells(plan, keep);
}

// Conditions of [ptq]; what it says as keys and values is in the cells.
void apply_quantize_where(SweepPlan& plan, const std::string& file) {
  const CellConditions conditions(file + " [ptq]: where", plan.study.quantize_where, plan.study,
                                  plan.notes);
  bool any = plan.study.ptq.is_null();
  for (size_t i = 0; i < plan.runs.size(); ++i) {
    bool& quantize = plan.runs[i].cell.quantize;
    quantize = quantize && conditions.all_hold(plan.runs[i], plan.data_of(plan.runs[i]));
    plan.study.cells[i].quantize = quantize;
    any = any || quantize;
  }
  if (!any) plan.notes.push_back("[ptq] where holds for no cell: nothing is quantized");
}

void add_notes(std::vector<std::string> on_recipes, SweepPlan& plan) {
  add_once(notes_on_old_names(plan.grid), plan.notes);
  if (plan.repeated_cells > 0) {
    plan.notes.push_back(fmt::format(
        "{} of the {} cells are runs that other cells name with other words; each run is made once",
        plan.repeated_cells, plan.study.cells.size()));
  }
  add_once(std::move(on_recipes), plan.notes);
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

using Runs = std::span<const PlannedRun>;

// The longest run of each trunk, by its name.
std::unordered_map<std::string, const PlannedRun*> trunks_of(Runs runs) {
  std::unordered_map<std::string, const PlannedRun*> longest;
  for (const PlannedRun& run : runs) {
    if (run.trunk.empty() || !run.table.empty()) continue;
    const PlannedRun*& trunk = longest[run.trunk];
    if (trunk == nullptr || run.resolved.steps > trunk->resolved.steps) trunk = &run;
  }
  return longest;
}

// Each branch waits until its trunk has come to where it begins.
void join_trunks(std::vector<Job>& jobs, Runs runs) {
  std::unordered_map<std::string, int> training;  // job by run
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].kind == JobKind::kTrain) training[jobs[i].run] = static_cast<int>(i);
  }
  const auto trunks = trunks_of(runs);
  for (const PlannedRun& run : runs) {
    if (run.trunk.empty() || !run.table.empty()) continue;
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
  TrainConfig defaults;
  defaults.recipe = spelled_out({});
  return expand_study(document, where, to_json(defaults));
}

bool same_cells(const Study& a, const Study& b) {
  return a.name == b.name && a.checkpoints == b.checkpoints && a.ptq == b.ptq &&
         a.require == b.require && a.quantize_where == b.quantize_where && a.budget == b.budget &&
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

SweepPlan plan_sweep(const std::vector<std::string>& study, const std::string& directory,
                     MissingData missing) {
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
  plan.directory = expand_home(directory);
  if (directory.empty()) plan.directory = std::filesystem::path("runs") / plan.study.name;
  std::vector<std::string> notes = resolve_cells(plan, missing);
  apply_require(plan, study[0]);
  apply_quantize_where(plan, study[0]);
  join_equal_runs(plan);
  add_notes(std::move(notes), plan);
  return plan;
}

const DatasetInfo& SweepPlan::data_of(const PlannedRun& run) const {
  return data.at(run.given.data.path);
}

void keep_cells(SweepPlan& plan, const std::vector<bool>& keep) {
  BITLAW_CHECK(keep.size() == plan.runs.size());
  std::vector<PlannedRun> runs;
  for (size_t i = 0; i < keep.size(); ++i) {
    if (keep[i]) runs.push_back(std::move(plan.runs[i]));
  }
  plan.runs = std::move(runs);
  plan.study.cells.clear();
  for (const PlannedRun& run : plan.runs) plan.study.cells.push_back(run.cell);
}

void scale_tokens(SweepPlan& plan, double scale, WarmUp warm_up) {
  for (Cell& cell : plan.study.cells) {
    const TrainConfig config = config_of(cell, plan.study.name);
    if (config.schedule.warmup_steps > 0 && warm_up == WarmUp::kScaled) {
      cell.config["schedule"]["warmup_steps"] = std::max<int64_t>(
          1, std::llround(scale * static_cast<double>(config.schedule.warmup_steps)));
    }
    cell.config["train"]["tokens"] =
        std::max<int64_t>(std::max(config.train.batch_tokens, config.model.sequence) * 10,
                          std::llround(scale * static_cast<double>(config.train.tokens)));
  }
  resolve_cells(plan);
  join_equal_runs(plan);
}

int64_t quantized_models(const SweepPlan& plan, const PlannedRun& run) {
  if (!plan.grid.along) return 1;
  const RunOptions options{.checkpoints = plan.study.checkpoints};
  const ResolvedConfig& resolved = run.resolved;
  return 1 + std::ssize(kept_steps(options, resolved.steps, resolved.config.train.batch_tokens));
}

std::vector<Job> make_jobs(const SweepPlan& plan, size_t cells) {
  const Runs runs = Runs(plan.runs).first(std::min(cells, plan.runs.size()));
  std::vector<Job> jobs;
  for (const PlannedRun& run : runs) {
    if (!run.table.empty()) continue;
    jobs.push_back(train_job(run, plan.study.checkpoints));
    if (!run.cell.quantize) continue;
    const std::string name = jobs.back().name;
    jobs.push_back(quantize_job(plan, run, name, static_cast<int>(jobs.size()) - 1));
  }
  // A run that keeps models along it trains them itself.
  if (plan.study.checkpoints == 0) join_trunks(jobs, runs);
  return jobs;
}

void predict_memory(std::vector<Job>& jobs, const SweepPlan& plan) {
  std::unordered_map<std::string, const PlannedRun*> runs;
  for (const PlannedRun& run : plan.runs) runs[run.name] = &run;
  MemoryPredictions predictions;
  for (Job& job : jobs) {
    if (job.kind != JobKind::kTrain ||
        outcome_so_far(job, plan.directory).state != JobState::kWaiting)
      continue;
    const PlannedRun& run = *runs.at(job.run);
    job.memory_bytes = predictions.bytes(run, plan.data_of(run));
  }
}

}  // namespace bitlaw
