#include "fit/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "fit/alike_rows.h"
#include "fit/allowed.h"
#include "fit/bootstrap.h"
#include "fit/combinations.h"
#include "fit/derived.h"
#include "fit/draws.h"
#include "fit/equal_parts.h"
#include "fit/holdout.h"
#include "fit/identify.h"
#include "fit/intervals.h"
#include "fit/joint.h"
#include "fit/multistart.h"
#include "fit/reference.h"
#include "fit/residuals.h"
#include "fit/run_scatter.h"
#include "fit/separate.h"
#include "fit/setup.h"
#include "fit/stage.h"
#include "fit/threshold.h"
#include "formats/precision.h"
#include "laws/bind.h"
#include "laws/part_bits.h"

namespace bitlaw {
namespace {

constexpr int kHeldOutStarts = 8;
constexpr int kFolds = 5;
constexpr int kSpareRows = 3;  // rows beyond the constants without which there are no intervals

// R^2 of the loss (runs) or of log differences (those that exceed five standard errors).
double r_squared_of(const StageSetup& setup, const std::vector<Observation>& rows,
                    const std::vector<double>& values) {
  const bool differences = is_of_differences(*setup.law, setup.settings.stage);
  const std::vector<double> residuals =
      log_residuals(*setup.law, setup.settings.stage, values, rows);
  std::vector<double> observed, predicted;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (std::isnan(residuals[i])) continue;
    const double value = differences ? rows[i].delta_nats : measured(*setup.law, rows[i]);
    const double log_measured = std::log(value), log_predicted = log_measured + residuals[i];
    observed.push_back(differences ? log_measured : value);
    predicted.push_back(differences ? log_predicted : std::exp(log_predicted));
  }
  return r_squared(observed, predicted);
}

// Of log residuals; deltas that are not clear have none.
double sse_of(const StageSetup& setup, const std::vector<Observation>& rows,
              const std::vector<double>& values) {
  double sum = 0;
  for (const double residual : log_residuals(*setup.law, setup.settings.stage, values, rows)) {
    if (!std::isnan(residual)) sum += residual * residual;
  }
  return sum;
}

StageFit describe(const StageSetup& setup, const std::vector<Observation>& rows,
                  const StageMinimum& minimum, std::vector<std::string>& notes) {
  const bool training = setup.settings.stage == Stage::kTraining;
  StageFit out;
  out.objective = minimum.objective;
  out.sse = sse_of(setup, rows, minimum.values);
  out.r2 = r_squared_of(setup, rows, minimum.values);
  out.points = static_cast<int>(rows.size());
  out.free = static_cast<int>(setup.free.size());
  const std::vector<int> clusters = number_clusters(rows);
  out.clusters = 1 + *std::max_element(clusters.begin(), clusters.end());
  out.starts = minimum.starts;
  out.reached = minimum.reached;
  out.converged = minimum.converged;

  const char* part = training ? "Training law" : "Post-training term";
  notes.push_back(fmt::format("{}: {} of {} starts came within 1 % of the best objective.", part,
                              out.reached, out.starts));
  if (out.reached == 1 && out.starts >= 16) {
    notes.push_back(fmt::format(
        "{}: only one start found the best minimum; raise starts to confirm it.", part));
  }
  if (!out.converged) {
    notes.push_back(
        fmt::format("{}: the solver did not converge; raise starts, or freeze the constants that "
                    "the rows cannot identify.",
                    part));
  }
  std::vector<std::string> names;
  for (const int i : setup.free) names.emplace_back(setup.law->parameters[i].name);
  const Conditioning found = conditioning(stage_jacobian(setup, rows, minimum.values), names, rows);
  out.condition = found.number;
  if (!found.flat.empty()) {
    const std::string help = separating_run(setup, rows, minimum.values).words;
    notes.push_back(fmt::format("{}: {}{}{}", part, found.flat, help.empty() ? "" : " ", help));
  }
  const Coordinates coordinates(*setup.law, setup.base, setup.free, setup.tied_to);
  const std::vector<std::string> edges =
      coordinates.at_bounds(coordinates.from_values(minimum.values));
  if (!edges.empty()) {
    notes.push_back(
        fmt::format("{}: {} at the edge of its range; the rows do not identify it, or a --range "
                    "keeps it there.",
                    part, fmt::join(edges, ", ")));
  }
  return out;
}

// One note for all constants that are frozen for the same reason.
void note_frozen(const Law& law, const ParameterChoice& choice, const StageRows& rows, Fit& fit) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    const Parameter& p = law.parameters[i];
    const bool has_rows = p.stage == Stage::kTraining ? !rows.training.empty() : !rows.post.empty();
    const std::string& reason = choice.reasons[i];
    if (reason.empty() || !has_rows || choice.tied_to[i] >= 0) continue;
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](auto& g) { return g.first == reason; });
    if (group == groups.end()) group = groups.insert(group, {reason, {}});
    group->second.push_back(fmt::format("{} = {:.6g}", p.name, choice.base[i]));
  }
  for (const auto& [reason, names] : groups) {
    fit.notes.push_back(fmt::format("{} {} not fitted: {}.", fmt::join(names, ", "),
                                    names.size() == 1 ? "is" : "are", reason));
  }
}

void add_held_out(const StageSetup& setup, const std::vector<Observation>& rows,
                  const FitOptions& options, const ParallelFor& parallel_for, Fit& fit) {
  StageSetup quick = setup;
  quick.starts = std::min(quick.starts, kHeldOutStarts);
  const bool post = setup.settings.stage == Stage::kPost;
  const bool stand_in = !rows.empty() && rows[0].stand_in_sizes;
  for (const char* split : {"largest-N", "largest-D", "kfold"}) {
    if (stand_in && split == std::string_view("largest-D")) continue;  // that of N again
    const auto masks = hold_out_masks(rows, split, kFolds, options.seed);
    if (masks.empty()) continue;
    HeldOut result = summarise(split, rows, predict_unseen(quick, rows, masks, {}, parallel_for));
    result.part = post ? "post" : "training";
    if (stand_in && result.split == "largest-N")
      result.split = "largest-" + rows[0].inputs[0].column;
    if (result.points + result.all_points > 0) fit.held_out.push_back(result);
  }
}

// Exponents depend on whether N counts embeddings. Where both counts are known, the training law is
// fitted to the other one too, without intervals.
void add_other_count(const Law& law, const std::vector<Observation>& runs, FitOptions options,
                     const ParameterChoice& choice, double threshold,
                     const ParallelFor& parallel_for, const std::vector<double>& values, Fit& fit) {
  const bool by_compute = options.params == "flops";
  const bool both = std::all_of(runs.begin(), runs.end(), [&](const Observation& run) {
    if (by_compute) return std::abs(run.compute / (6 * run.params * run.tokens) - 1) > 1e-6;
    return run.params_total > 0 && run.params_total != run.params;
  });
  if (!both || fit.training.points == 0 || fit.training.free == 0) return;
  options.params = options.params == "non-embedding" ? "total" : "non-embedding";
  StageSetup setup = setup_of(law, Stage::kTraining, choice, choice.base, options);
  setup.settings.huber = threshold;  // so that objectives compare
  const StageMinimum other = fit_stage(setup, sort_rows(law, runs, options).training, parallel_for);
  fit.other_count = {options.params, other.objective, other.values};
  const int alpha = parameter_index(law, "alpha");
  if (alpha >= 0) {
    fit.notes.push_back(note_on_other_count(options.params, {values[alpha], other.values[alpha]},
                                            {fit.training.objective, other.objective}));
  }
}

// With all parameters counted: what of them no precision shrinks.
void add_fixed_note(const std::vector<Observation>& rows, Fit& fit) {
  double least = 1, most = 0;
  for (const Observation& row : rows) {
    least = std::min(least, row.fixed_share), most = std::max(most, row.fixed_share);
  }
  if (!(most > 0)) return;
  fit.notes.push_back(fmt::format(
      "N counts embeddings and head, {} % of the parameters, which no precision shrinks: N_eff = "
      "N_fixed + (N - N_fixed) f.",
      most - least < 0.005 ? fmt::format("{:.0f}", 100 * most)
                           : fmt::format("{:.0f} to {:.0f}", 100 * least, 100 * most)));
}

// The objective of constants as they are.
double objective_at(StageSetup setup, const std::vector<Observation>& rows,
                    const std::vector<double>& values) {
  setup.free.clear();
  setup.base = values;
  return fit_stage(setup, rows).objective;
}

// R^2 of all deltas, in nats, and what is measured where the law says that nothing can be lost.
void judge_deltas(const StageSetup& post, const StageRows& rows, const std::vector<double>& values,
                  Fit& fit) {
  if (rows.judged.empty() || post.free.empty()) return;
  std::vector<double> observed, predicted;
  double none = 0;  // summed over the rows for which the law predicts zero
  int count = 0;
  for (const Observation& row : rows.judged) {
    observed.push_back(row.delta_nats);
    predicted.push_back(predict_delta(*post.law, values.data(), row));
    if (!predicts_no_delta(*post.law, row)) continue;
    none += row.delta_nats;
    ++count;
  }
  fit.post.r2_all = r_squared(observed, predicted);
  fit.post.judged = static_cast<int>(rows.judged.size());
  if (count == 0) return;
  fit.notes.push_back(fmt::format(
      "{} rows were quantized to as many bits as their activations, keys or values had in "
      "training, "
      "or more. {} predicts that they lose nothing, whatever its constants; they lost {:.3g} nats "
      "on average. They count in R^2 and in held-out errors; laws with the weights' bracket alone "
      "fit them, too.",
      count, post.law->name, none / count));
}

// R^2 of all gaps, in nats.
void judge_gaps(const Law& law, const std::vector<Observation>& rows,
                const std::vector<double>& values, StageFit& stage) {
  std::vector<double> observed, predicted;
  for (const Observation& row : rows) {
    observed.push_back(row.delta_nats);
    predicted.push_back(predict(law, values.data(), row));
  }
  stage.r2_all = r_squared(observed, predicted);
  stage.judged = static_cast<int>(rows.size());
}

// The joint fit downhill of the staged one, whose values it replaces; none where a stage has
// nothing to fit.
std::optional<JointSetup> move_together(const StageSetup& training, const StageSetup& post,
                                        const StageRows& rows, std::vector<double>& values,
                                        Fit& fit) {
  if (training.free.empty() || post.free.empty()) {
    fit.notes.push_back("joint: one stage has nothing to fit, so the staged fit is kept.");
    return std::nullopt;
  }
  JointSetup setup{training, post, training_noise(training, rows.training, values)};
  const StageMinimum minimum = fit_joint(setup, rows.training, rows.post, values);
  if (!std::isfinite(minimum.objective)) {
    fit.notes.push_back("joint: no step improves on the staged fit, which is kept.");
    return std::nullopt;
  }
  values = minimum.values;
  fit.training.objective = objective_at(training, rows.training, values);
  fit.post.objective = objective_at(post, rows.post, values);
  fit.training.sse = sse_of(training, rows.training, values);
  fit.post.sse = sse_of(post, rows.post, values);
  fit.training.r2 = r_squared_of(training, rows.training, values);
  fit.post.r2 = r_squared_of(post, rows.post, values);
  fit.training.converged = fit.post.converged = minimum.converged;
  fit.notes.push_back(
      fmt::format("Joint fit: both stages fitted together, log losses in units of their noise, "
                  "{:.3g}; each stage's objective is given at the joint constants.",
                  setup.noise));
  return setup;
}

// A constant of a formula has no published value to stay at where the rows do not tell it.
void must_tell_constants(const Law& law, const Prepared& ready) {
  if (!law.own || law.constants[0].is_published()) return;
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    const Parameter& p = law.parameters[i];
    const std::string& reason = ready.choice.reasons[i];
    const bool has_rows =
        !(p.stage == Stage::kPost ? ready.rows.post : ready.rows.training).empty();
    if (!has_rows || ready.choice.kept[i] != Kept::kByRows) continue;
    throw Error(
        fmt::format("{}: {} cannot be fitted: {}; give its value, as in --constants {}=..., or "
                    "leave its term out "
                    "of the formula",
                    law.name, p.name, reason, p.name));
  }
}

// Error if no start had a finite prediction of every row.
void must_be_finite(const Law& law, const std::vector<Observation>& rows,
                    const StageMinimum& minimum) {
  if (std::isfinite(minimum.objective)) return;
  for (const Observation& row : rows) {
    const double value = predict(law, minimum.values.data(), row);
    if (std::isfinite(value) && (law.predicts != Predicts::kLoss || value > 0)) continue;
    const std::string which =
        row.stand_in_sizes
            ? ""
            : fmt::format("; the first without one has N = {:g}, D = {:g}", row.params, row.tokens);
    throw Error(fmt::format(
        "{} cannot be fitted to this table: no start gave a finite loss for every row{}", law.name,
        which));
  }
  throw Error(
      fmt::format("{} cannot be fitted to this table: no start gave a finite loss", law.name));
}

}  // namespace

std::vector<double> Fit::values() const {
  std::vector<double> out;
  for (const FittedParameter& p : parameters) out.push_back(p.value);
  return out;
}

Fit fit_law(const Law& unbound, const std::vector<Observation>& runs, const FitOptions& options,
            const ParallelFor& parallel_for) {
  const Prepared ready = prepare(unbound, runs, options);
  const Law& law = ready.law();
  const StageRows& rows = ready.rows;
  const ParameterChoice& choice = ready.choice;
  if (const std::string missing = missing_reference(law, rows.training);
      !missing.empty() && options.freeze.empty())
    throw Error(missing);
  if (rows.training.empty() && rows.post.empty()) {
    throw Error(fmt::format("the table has no row that {} can be fitted to", law.name));
  }

  must_tell_constants(law, ready);

  Fit fit;
  fit.law = law.name;
  if (const LawFormula* own = definition_of(law)) fit.own = *own;
  std::vector<Observation> counted = rows.training;
  counted.insert(counted.end(), rows.post.begin(), rows.post.end());
  fit.reach = reach_of(counted);
  fit.params = options.params;
  fit.fixed = fixed_params_of(runs);
  add_fixed_note(counted, fit);
  fit.notes.insert(fit.notes.end(), choice.notes.begin(), choice.notes.end());
  if (!law.class_parameters.empty()) fit.classes = classes_of(rows.training);
  fit.level = options.level;

  FitAllowed allowed;
  StageSetup training = setup_of(law, Stage::kTraining, choice, choice.base, options);
  settle_threshold(options, rows.training, parallel_for, training);
  if (!rows.training.empty()) fit.threshold = training.settings.huber;
  fit.objective_name = rows.training.empty() ? "no losses" : objective_name(options, training);
  std::vector<double> values = choice.base;
  if (rows.training.empty()) {
    training.free.clear();
    fit.notes.push_back(
        "No row has a training loss: the training law keeps its published constants.");
  } else {
    require_points(law, rows.training.size(), training.free.size(), "run");
    StageMinimum minimum = fit_stage(training, rows.training, parallel_for);
    must_be_finite(law, rows.training, minimum);
    add_exchanged(training, rows.training, minimum);
    values = minimum.values;
    fit.training = describe(training, rows.training, minimum, fit.notes);
    allowed.training =
        allowed_by(training, confounded_of(law, Stage::kTraining, choice), rows.training, minimum,
                   fit.training.condition, options.level, parallel_for);
    if (!law.uses_bits &&
        std::any_of(rows.training.begin(), rows.training.end(),
                    [](const auto& run) { return least_part_bits(run) < kUnquantizedBits; })) {
      fit.notes.push_back(fmt::format(
          "{} does not model training precision, but some rows were trained below 16 bits.",
          law.name));
    }
  }

  StageSetup post = setup_of(law, Stage::kPost, choice, values, options);
  if (rows.post.size() < post.free.size() || rows.post.empty()) {
    if (law.has_delta) {
      fit.notes.push_back(fmt::format(
          "The post-training term keeps its published constants: {} rows have a usable delta{}.",
          rows.post.size(),
          rows.post.empty() ? "" : fmt::format(", {} are needed", post.free.size())));
    }
    post.free.clear();
  } else {
    const StageMinimum minimum = fit_stage(post, rows.post, parallel_for);
    values = minimum.values;
    fit.method = rows.method;
    fit.post = describe(post, rows.post, minimum, fit.notes);
    allowed.post = allowed_by(post, confounded_of(law, Stage::kPost, choice), rows.post, minimum,
                              fit.post.condition, options.level, parallel_for);
    fit.censored = static_cast<int>(std::count_if(
        rows.post.begin(), rows.post.end(), [](const auto& row) { return row.delta_nats <= 0; }));
    if (fit.censored > 0) {
      fit.notes.push_back(
          fmt::format("{} rows have delta at or below zero; they are kept, and fitted as "
                      "measurements near zero.",
                      fit.censored));
    }
  }
  std::optional<JointSetup> joint;
  if (options.joint) joint = move_together(training, post, rows, values, fit);
  if (!rows.others.empty() && law.has_delta) {
    fit.notes.push_back(
        fmt::format("The post-training term is fitted to {}; the table also has {} (option "
                    "method).",
                    rows.method, fmt::join(rows.others, ", ")));
  }
  if (rows.no_delta > 0) {
    fit.notes.push_back(
        fmt::format("{} quantized rows have no delta and are left out.", rows.no_delta));
  }
  if (rows.no_difference > 0) {
    fit.notes.push_back(
        fmt::format("{} rows were quantized to no fewer bits than their weights had in training: "
                    "nothing was rounded, so they are left out.",
                    rows.no_difference));
  }
  judge_deltas(post, rows, values, fit);
  if (options.params == "total" && law.uses_bits && !rows.training.empty() &&
      std::none_of(rows.training.begin(), rows.training.end(),
                   [](const Observation& row) { return row.fixed_share > 0; })) {
    fit.notes.emplace_back(
        "The table has no N beside N_total, so all of it counts as quantized, embeddings and head, "
        "too: offsets n and alpha are biased by that; add N.");
  }
  if (law.predicts == Predicts::kGap) judge_gaps(law, rows.training, values, fit.training);
  if (law.predicts == Predicts::kLoss) fit.penalty = penalty_fit(law, values, rows.training);
  note_frozen(law, choice, rows, fit);

  const StageFit* bare = nullptr;  // a stage with too few rows to estimate its error
  for (const StageFit* stage : {&fit.training, &fit.post}) {
    if (stage->points > 0 && stage->points < stage->free + kSpareRows) bare = stage;
  }
  if (bare) {
    fit.notes.push_back(
        fmt::format("{} rows for {} constants: too few rows to estimate the fit's error, so there "
                    "are no intervals.",
                    bare->points, bare->free));
  } else if (options.draws > 0) {
    Draws drawn = bootstrap_draws(rows, {&training, &allowed.training}, {&post, &allowed.post},
                                  joint, values, options, parallel_for, fit.notes);
    fit.draws = std::move(drawn.values);
    if (drawn.fractional) {
      fit.training.absorbed = std::max(1, fit.training.free);
      fit.post.absorbed = std::max(1, fit.post.free);
    }
  }
  if (!bare && options.draws > 0) {
    if (!rows.training.empty() && law.predicts == Predicts::kLoss) {
      const std::string note = alike_rows_note(
          rows.training, log_residuals(law, Stage::kTraining, values, rows.training));
      if (!note.empty()) fit.notes.push_back(note);
    }
    if (!rows.training.empty())
      fit.training.scatter = run_scatter(training, rows.training, values, parallel_for);
    if (!post.free.empty()) fit.post.scatter = run_scatter(post, rows.post, values, parallel_for);
  }
  if (options.hold_out && fit.training.points > fit.training.free) {
    add_held_out(training, rows.training, options, parallel_for, fit);
  }
  if (options.hold_out && fit.post.points > fit.post.free) {
    add_held_out(post, rows.judged, options, parallel_for, fit);
  }
  add_other_count(law, runs, options, choice, fit.threshold, parallel_for, values, fit);

  const FittedStages stages{&rows, &choice, &training, &post, &allowed};
  add_parameters(stages, values, options, fit);
  add_derived(stages, values, options, parallel_for, fit);
  add_combinations(unbound, stages, runs, values, options, parallel_for, fit);
  add_profiles(stages, values, options, parallel_for, fit);
  return fit;
}

Fit fit_law(const std::vector<Observation>& runs, const FitOptions& options,
            const ParallelFor& parallel_for) {
  return fit_law(law_named(options.law), runs, options, parallel_for);
}

}  // namespace bitlaw
