#include "rehearse/rehearse.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "laws/registry.h"
#include "quantize/cell.h"
#include "quantize/planned_cells.h"
#include "quantize/rows.h"
#include "runs/tidy_rows.h"
#include "sweep/budget.h"
#include "sweep/conditions.h"
#include "table/factors.h"
#include "table/tidy_table.h"

namespace bitlaw {
namespace {

// A row of the table before its loss is drawn.
struct Blank {
  const PlannedRun* run;
  RunRecord record;                // of the run
  double bytes_per_token = 0;      // of its validation text; 0: not known
  std::optional<CellRecord> cell;  // of a cell
  bool is_zero = false;            // the cell's delta, by definition
};

using Blanks = std::vector<Blank>;

RunRecord record_of(const PlannedRun& run, const DatasetInfo& data) {
  RunRecord record = planned_record(run, data);
  // Nothing will have computed it.
  record.build->engine.clear();
  record.build->isa.clear();
  return record;
}

// A cell of which only the measurement is missing.
CellRecord cell_of(const PtqCell& cell, const PlannedRun& run, const PtqConfig& grid,
                   const RunRecord& record) {
  CellRecord out;
  out.key = requested_cell(cell, grid, record);
  out.run = run.name;
  out.storage_bits = storage_bits(cell.weights, run.resolved.config.model);
  return out;
}

// Each run, followed by its cells.
Blanks blanks_of(const SweepPlan& plan) {
  const std::vector<PtqCell> grid =
      plan.grid_cells == 0 ? std::vector<PtqCell>{} : ptq_cells(plan.grid);
  Blanks out;
  for (const PlannedRun& run : plan.runs) {
    const DatasetInfo& data = plan.data_of(run);
    Blank blank{&run, record_of(run, data)};
    if (!data.hash.empty() && data.validation.tokens > 0) {
      blank.bytes_per_token =
          static_cast<double>(data.validation.bytes) / static_cast<double>(data.validation.tokens);
    }
    out.push_back(blank);
    if (!run.cell.quantize) continue;
    for (const PtqCell& cell : grid) {
      // Tables have no cell that rounds nothing, and fits use none that rounds more than weights.
      if (!cell.rounds_weights() || cell.activations || cell.kv) continue;
      blank.cell = cell_of(cell, run, plan.grid, blank.record);
      blank.is_zero = changes_nothing(run.resolved.recipe, cell);
      out.push_back(blank);
    }
  }
  return out;
}

double bits_per_byte(double loss_nats, const Blank& blank) {
  return blank.bytes_per_token > 0 ? loss_nats / (std::numbers::ln2 * blank.bytes_per_token)
                                   : kNoNumber;
}

ResultRecord result_of(const Blank& blank, double loss_nats, double standard_error,
                       double diverged_nats) {
  const ResolvedConfig& resolved = blank.run->resolved;
  ResultRecord result;
  TrainingResult& training = result.training.emplace();
  training.tokens = resolved.config.train.tokens;
  training.steps = resolved.steps;
  training.flops = blank.run->flops;
  training.seconds = training.tokens_per_second = kNoNumber;
  if (loss_nats > diverged_nats) {
    result.status = RunStatus::kDiverged;
    return result;
  }
  Validation& validation = result.validation.emplace();
  validation.loss_nats = loss_nats;
  validation.standard_error = standard_error;
  validation.bits_per_byte = bits_per_byte(loss_nats, blank);
  return result;
}

TidyRow run_row(const Blank& blank, const ResultRecord& result) {
  TidyRow row = tidy_row_of(kRehearsed + blank.run->name, blank.record, result);
  // Where the data set is not there, what was asked for.
  row.validation_tokens = blank.record.settings().train.validation_tokens;
  return row;
}

TidyRow cell_row(const TidyRow& run, const CellRecord& cell) {
  TidyRow row = tidy_row_of(run, cell);
  if (cell.key.evaluation.tokens == 0) row.evaluation_tokens.reset();
  row.flagged.reset();
  return row;
}

// The rows with anything for losses and deltas: what the law sees of a real table.
std::vector<TidyRow> rows_for_law(const Blanks& blanks) {
  constexpr double kAnyLoss = 1;
  std::vector<TidyRow> out;
  TidyRow run;
  for (const Blank& blank : blanks) {
    if (!blank.cell) {
      run = run_row(blank, result_of(blank, kAnyLoss, kNoNumber, 2 * kAnyLoss));
      // Whose noise is shared.
      if (!blank.run->trunk.empty()) run.run = blank.run->trunk;
      out.push_back(run);
      continue;
    }
    CellRecord cell = *blank.cell;
    cell.loss_nats = kAnyLoss;
    cell.delta = 0;
    out.push_back(cell_row(run, cell));
  }
  return out;
}

// What the law of some words is, which may be known by its fit alone.
class LawOfWords {
 public:
  LawOfWords(const SimulateWords& words, const std::string& name) : law_(find_law(name)) {
    if (law_ != nullptr) return;
    of_fit_ = law_of_fit(words.fit, words.fit_name);
    law_ = &of_fit_.law();
  }
  const Law& operator*() const { return *law_; }

 private:
  BoundLaw of_fit_;
  const Law* law_;
};

// Draws the losses of all rows, also of those that are too high.
SimulatedTable draw(const std::vector<TidyRow>& rows, SimulateWords words, const std::string& study,
                    KnownLaws& known, const IsGiven& is_given, const std::string& dashes) {
  words.study.diverged = std::numeric_limits<double>::infinity();
  SimulatedTable drawn = simulate_table(words, tidy_table(rows), study, known, is_given, dashes);
  const LawOfWords law(words, drawn.law);
  if ((*law).predicts != Predicts::kLoss)
    throw Error(
        fmt::format("{}law: {} predicts no losses, which the runs of a study have; give another",
                    dashes, drawn.law));
  if (drawn.study.rows.size() != rows.size())
    throw Error(fmt::format(
        "{}law: {} has an input that {} of the {} rows of {} do not say before they are trained; "
        "give another, or make the data set",
        dashes, drawn.law, rows.size() - drawn.study.rows.size(), rows.size(), study));
  return drawn;
}

CellRecord measured_cell(const Blank& blank, const TidyRow& run, double delta,
                         double standard_error) {
  CellRecord cell = *blank.cell;
  cell.measured_delta = delta;
  cell.measured_standard_error = standard_error;
  cell.delta = blank.is_zero ? 0 : delta;
  cell.standard_error = blank.is_zero ? 0 : standard_error;
  cell.loss_nats = run.loss + delta;
  cell.baseline_loss_nats = run.loss;
  cell.bits_per_byte = bits_per_byte(cell.loss_nats, blank);
  return cell;
}

// Gives the rows what was drawn.
void fill(const Blanks& blanks, const std::vector<Observation>& drawn, const Law& law,
          const StudyOptions& options, Rehearsal& out) {
  // After those of simulate/simulate.cpp.
  constexpr uint64_t kStreamOfZeros = 4;
  TidyRow run;
  for (size_t i = 0; i < blanks.size(); ++i) {
    const Blank& blank = blanks[i];
    if (!blank.cell) {
      run = run_row(blank, result_of(blank, drawn[i].loss_nats, drawn[i].loss_standard_error,
                                     options.diverged));
      ++out.runs;
      out.diverged += run.status == name_of(RunStatus::kDiverged) ? 1 : 0;
      out.rows.push_back(run);
    } else if (law.has_delta && run.status == name_of(RunStatus::kFinished)) {
      const double delta =
          blank.is_zero ? options.delta_noise * random_normal(options.seed, kStreamOfZeros, i)
                        : drawn[i].delta_nats;
      ++out.cells;
      out.zero_cells += blank.is_zero ? 1 : 0;
      out.rows.push_back(
          cell_row(run, measured_cell(blank, run, delta, drawn[i].delta_standard_error)));
    }
  }
}

// ---- what is said ----

std::string words_of(const std::vector<std::string>& names) {
  if (names.size() < 2) return names.empty() ? "" : names[0];
  return fmt::format("{} and {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

bool bits_differ(const std::vector<TidyRow>& rows) {
  return std::any_of(rows.begin(), rows.end(), [&](const TidyRow& row) {
    return std::tuple(row.P_w, row.P_a, row.P_kv) !=
           std::tuple(rows[0].P_w, rows[0].P_a, rows[0].P_kv);
  });
}

// Runs that differ in these alone have one loss, but for noise.
std::string note_on_factors(const std::vector<TidyRow>& rows, const Law& law) {
  std::vector<FactorRow> factor_rows;
  for (const TidyRow& row : rows) {
    if (row.is_run()) factor_rows.push_back(factor_row(row));
  }
  const std::vector<std::string> seen = modelled_factors(law);
  std::vector<std::string> unseen;
  if (!law.uses_bits && law.class_parameters.empty() && bits_differ(rows))
    unseen.emplace_back("bits in training");
  for (const PooledFactor& pooled : pooled_factors(factor_rows)) {
    if (std::find(seen.begin(), seen.end(), pooled.factor->name) == seen.end())
      unseen.push_back(pooled.name);
  }
  if (unseen.empty()) return "";
  return fmt::format(
      "{} does not see {}: runs that differ in nothing else have the same loss, but "
      "for noise",
      law.name, words_of(unseen));
}

std::string note_on_cells(const std::vector<TidyRow>& rows) {
  std::set<std::string> methods;
  std::set<int64_t> groups;
  for (const TidyRow& row : rows) {
    if (row.is_run()) continue;
    methods.insert(row.method);
    if (row.group) groups.insert(*row.group);
  }
  constexpr size_t kNamed = 5;
  std::vector<std::string> alike;
  if (methods.size() > kNamed)
    alike.push_back(fmt::format("all {} methods and kinds of codes", methods.size()));
  else if (methods.size() > 1)
    alike.push_back(words_of({methods.begin(), methods.end()}));
  if (groups.size() > 1) {
    std::vector<std::string> sizes;
    for (const int64_t size : groups) sizes.push_back(std::to_string(size));
    alike.push_back("groups of " + words_of(sizes));
  }
  if (alike.empty()) return "";
  return fmt::format("{} have the same delta at the same bits, but for noise",
                     alike.size() > 1 ? alike[0] + ", and " + alike[1] + "," : alike[0]);
}

std::string note_on_data(const SweepPlan& plan) {
  std::vector<std::string> absent;
  for (const auto& [path, data] : plan.data) {
    if (data.hash.empty()) absent.push_back(path);
  }
  if (absent.empty()) return "";
  return fmt::format(
      "{} {} not there: hashes, unique_tokens, epochs and bits_per_byte are empty, and the runs of "
      "the study will have other names",
      words_of(absent), absent.size() == 1 ? "is" : "are");
}

// What of the grid has no rows.
std::vector<std::string> notes_on_missing_rows(const SweepPlan& plan, const Law& law) {
  std::vector<std::string> out;
  if (plan.study.checkpoints > 0)
    out.emplace_back("models kept along the runs are left out: the law is one of finished runs");
  if (plan.grid_cells == 0) return out;
  const std::vector<PtqCell> grid = ptq_cells(plan.grid);
  const auto in_use = std::count_if(
      grid.begin(), grid.end(), [](const PtqCell& cell) { return cell.activations || cell.kv; });
  if (!law.has_delta)
    out.push_back(fmt::format("{} does not model quantization after training: no cells", law.name));
  else if (in_use > 0)
    out.push_back(
        fmt::format("{} of the {} cells of each run are left out, which round activations "
                    "or KV in use: the law has no delta for them",
                    in_use, grid.size()));
  return out;
}

void add_notes(const SweepPlan& plan, const Law& law, const StudyOptions& options, Rehearsal& out) {
  const auto add = [&](std::string note) {
    if (!note.empty()) out.notes.push_back(std::move(note));
  };
  for (const std::string& note : plan.notes) add(note);
  add(note_on_data(plan));
  add(note_on_factors(out.rows, law));
  add(note_on_cells(out.rows));
  for (std::string& note : notes_on_missing_rows(plan, law)) add(std::move(note));
  if (out.diverged > 0)
    add(fmt::format("{} of {} runs have a loss above {:g} nats: they diverged, and have no cells",
                    out.diverged, out.runs, options.diverged));
}

// As a sweep takes them.
void select_runs(SweepPlan& plan, const std::vector<std::string>& only) {
  if (!plan.study.budget.empty()) {
    const Budget budget = parse_budget(plan.study.budget, plan.study.name + ": budget");
    if (budget.needs_speeds())
      plan.notes.push_back(fmt::format(
          "how many cells the budget of {} pays for depends on the machine: all are here",
          budget.text));
    else
      apply_budget(plan, budget, Rates{}, 1);
  }
  keep_only(plan, only);
}

}  // namespace

Rehearsal rehearse(SweepPlan plan, const std::vector<std::string>& only, SimulateWords words,
                   KnownLaws& known, const IsGiven& is_given, const std::string& dashes) {
  select_runs(plan, only);
  const Blanks blanks = blanks_of(plan);
  const SimulatedTable drawn =
      draw(rows_for_law(blanks), words, plan.study.name, known, is_given, dashes);
  const LawOfWords law(words, drawn.law);
  Rehearsal out;
  out.law = drawn.law;
  out.constants = drawn.document.at("constants");
  fill(blanks, drawn.study.rows, *law, words.study, out);
  if (out.diverged == out.runs)
    throw Error(fmt::format(
        "{}diverged: every run of {} has a loss above {:g} nats; raise it, or give other constants",
        dashes, plan.study.name, words.study.diverged));
  add_notes(plan, *law, words.study, out);
  std::vector<const TidyRow*> order;
  for (const TidyRow& row : out.rows) order.push_back(&row);
  sort_rows(order);
  std::vector<TidyRow> sorted;
  for (const TidyRow* row : order) sorted.push_back(*row);
  out.rows = std::move(sorted);
  return out;
}

Json rehearsal_json(const Rehearsal& rehearsal, const StudyOptions& options) {
  return {{"law", rehearsal.law},
          {"constants", rehearsal.constants},
          {"runs", rehearsal.runs},
          {"diverged", rehearsal.diverged},
          {"cells", rehearsal.cells},
          {"zero_cells", rehearsal.zero_cells},
          {"notes", rehearsal.notes},
          {"options",
           {{"noise", options.noise},
            {"delta_noise", options.delta_noise},
            {"shared", options.shared},
            {"diverged", options.diverged},
            {"seed", options.seed}}},
          {"rows", tidy_to_json(rehearsal.rows)}};
}

}  // namespace bitlaw
