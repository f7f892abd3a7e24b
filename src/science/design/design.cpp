#include "design/design.h"

#include <fmt/format.h>

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/range.h"
#include "base/statistics.h"
#include "design/clustered.h"
#include "design/quantity.h"
#include "design/selection.h"
#include "fit/allowed.h"
#include "fit/bootstrap.h"
#include "fit/equal_parts.h"
#include "fit/identify.h"
#include "fit/multistart.h"
#include "fit/reference.h"
#include "fit/residuals.h"
#include "fit/setup.h"
#include "fit/shared_share.h"
#include "laws/bind.h"
#include "laws/fixed_params.h"
#include "laws/part_bits.h"
#include "predict/reach.h"
#include "solve/quantile.h"
#include "table/candidates.h"

namespace bitlaw {
namespace {

FitOptions fit_options(const DesignOptions& options) {
  FitOptions out;
  out.law = options.law;
  out.objective = "least-squares";
  out.post_threshold = 0;  // squares
  out.params = options.params;
  out.method = options.method;
  out.tie = options.tie;
  out.freeze = options.freeze;
  out.starts = options.starts;
  out.seed = options.seed;
  out.level = options.level;
  return out;
}

// A law fitted to a table: the information of a row on its constants.
struct Fitted {
  const Law* law = nullptr;
  StageRows rows;
  StageSetup training, post;
  std::vector<double> values;
  double training_variance = 1, post_variance = 1;  // of residuals
  double delta_error = kUnknown;                    // the usual one of the table
};

double residual_variance(double objective, size_t rows, size_t free) {
  return std::max(2 * objective / static_cast<double>(rows - free), 1e-20);
}

Fitted fit_table(const Prepared& ready, const FitOptions& options,
                 const ParallelFor& parallel_for) {
  const Law& law = ready.law();
  const ParameterChoice& choice = ready.choice;
  Fitted out;
  out.law = &law;
  out.rows = ready.rows;
  out.values = choice.base;
  out.training = setup_of(law, Stage::kTraining, choice, out.values, options);
  if (out.rows.training.size() <= out.training.free.size()) {
    throw Error(fmt::format(
        "{} runs for {} constants: a design needs more runs than constants; add {} or freeze some",
        out.rows.training.size(), out.training.free.size(),
        out.training.free.size() + 1 - out.rows.training.size()));
  }
  const StageMinimum trained =
      fit_adaptively(out.training, out.rows.training, {}, parallel_for).best;
  if (!std::isfinite(trained.objective)) {
    throw Error(
        fmt::format("{} cannot be fitted to this table: no start gave a finite loss", law.name));
  }
  out.values = trained.values;
  out.training_variance =
      residual_variance(trained.objective, out.rows.training.size(), out.training.free.size());
  out.post = setup_of(law, Stage::kPost, choice, out.values, options);
  if (out.rows.post.size() <= out.post.free.size()) {
    out.post.free.clear();
    out.rows.post.clear();
    return out;
  }
  const StageMinimum quantized = fit_adaptively(out.post, out.rows.post, {}, parallel_for).best;
  out.values = quantized.values;
  out.post_variance =
      residual_variance(quantized.objective, out.rows.post.size(), out.post.free.size());
  std::vector<double> errors;
  for (const Observation& row : out.rows.post) {
    if (row.delta_standard_error > 0) errors.push_back(row.delta_standard_error);
  }
  if (!errors.empty()) out.delta_error = upper_median(std::move(errors));
  return out;
}

// Derivatives of residuals in standard errors, a row for each of `rows`.
Matrix information_rows(const Fitted& fitted, Stage stage, const std::vector<Observation>& rows,
                        const Coordinates& coordinates) {
  if (rows.empty()) return Matrix(0, coordinates.size());
  const bool post = stage == Stage::kPost;
  const StageSetup& setup = post ? fitted.post : fitted.training;
  const ResidualProblem problem = make_problem(*fitted.law, rows, coordinates, setup.settings);
  Vector residuals(problem.rows);
  Matrix jacobian(problem.rows, coordinates.size());
  BITLAW_CHECK(problem.evaluate(coordinates.from_values(fitted.values), residuals, &jacobian));
  const double variance = post ? fitted.post_variance : fitted.training_variance;
  return jacobian.topRows(static_cast<long>(rows.size())) / std::sqrt(variance);
}

// What the table's rows of a stage tell together.
Matrix information_of(const Fitted& fitted, Stage stage, const Matrix& rows) {
  const bool post = stage == Stage::kPost;
  const std::vector<Observation>& of_stage = post ? fitted.rows.post : fitted.rows.training;
  if (of_stage.empty()) return rows.transpose() * rows;
  const StageSetup& setup = post ? fitted.post : fitted.training;
  const Coordinates none(*fitted.law, fitted.values, {}, setup.tied_to);
  const ResidualProblem problem = make_problem(*fitted.law, of_stage, none, setup.settings);
  Vector residuals(problem.rows);
  BITLAW_CHECK(problem.evaluate(Vector(0), residuals, nullptr));
  const std::vector<int> cluster = number_clusters(of_stage);
  residuals.conservativeResize(static_cast<long>(of_stage.size()));
  return clustered_information(rows, cluster, shared_share(residuals, cluster));
}

// What is known without any row: each coordinate lies somewhere in the range it may never leave.
Matrix range_information(const Coordinates& coordinates) {
  const Vector width = coordinates.high() - coordinates.low();
  return (12 * width.cwiseAbs2().cwiseInverse()).asDiagonal();
}

Vector gradient_of(const LawQuantity& quantity, const Coordinates& coordinates, const Vector& x) {
  Vector out(coordinates.size());
  const auto value = [&](const Vector& at) {
    const double found = quantity.of(coordinates.values(at).data());
    return quantity.logarithmic ? std::log(found) : found;
  };
  for (int j = 0; j < coordinates.size(); ++j) {
    const double h = 1e-4 * std::max(1.0, std::fabs(x[j]));
    Vector up = x, down = x;
    up[j] += h, down[j] -= h;
    out[j] = (value(up) - value(down)) / (2 * h);
  }
  return out;
}

// Constants that the table does not identify but further runs could.
std::vector<int> tellable(const Law& law, const Fitted& fitted, const ParameterChoice& choice) {
  std::vector<int> out;
  for (const Stage stage : {Stage::kTraining, Stage::kPost}) {
    const auto& rows = stage == Stage::kPost ? fitted.rows.post : fitted.rows.training;
    if (rows.empty()) continue;
    for (const Frozen& frozen : unidentifiable(law, stage, rows)) {
      const Parameter& p = law.parameters[static_cast<size_t>(frozen.parameter)];
      const size_t i = static_cast<size_t>(frozen.parameter);
      if (!p.never && choice.tied_to[i] < 0 && choice.reasons[i] == frozen.reason) {
        out.push_back(frozen.parameter);
      }
    }
  }
  return out;
}

// The free constants of both stages. Also, of those that the table does not identify: what the
// quantity depends on (to a thousandth of it over their range), and what the rows depend on by more
// than their noise, which would otherwise lend its published value to the others.
std::vector<int> free_constants(const Fitted& fitted, const ParameterChoice& choice,
                                const LawQuantity* quantity, std::vector<int>& added) {
  const Law& law = *fitted.law;
  std::vector<int> free = fitted.training.free;
  free.insert(free.end(), fitted.post.free.begin(), fitted.post.free.end());
  for (const int i : tellable(law, fitted, choice)) {
    const Coordinates one(law, fitted.values, {i}, choice.tied_to);
    const double width = one.high()[0] - one.low()[0];
    const double told =
        information_rows(fitted, Stage::kTraining, fitted.rows.training, one).norm() * width +
        information_rows(fitted, Stage::kPost, fitted.rows.post, one).norm() * width;
    const double slope =
        quantity ? gradient_of(*quantity, one, one.from_values(fitted.values)).norm() : 0;
    const double scale =
        !quantity || quantity->logarithmic ? 1 : std::fabs(quantity->of(fitted.values.data()));
    const bool asked = slope * width > 1e-3 * scale;
    if (!asked && !(told > 1)) continue;
    free.push_back(i);
    added.push_back(i);
  }
  std::sort(free.begin(), free.end());
  return free;
}

// The table must identify the post-training term that a quantity depends on.
void require_deltas(const Fitted& fitted, const ParameterChoice& choice,
                    const LawQuantity& quantity) {
  if (!fitted.rows.post.empty()) return;
  std::vector<int> constants;
  for (size_t i = fitted.law->training_parameters; i < fitted.law->parameters.size(); ++i) {
    if (choice.tied_to[i] < 0) constants.push_back(static_cast<int>(i));
  }
  if (constants.empty()) return;
  const Coordinates post(*fitted.law, fitted.values, constants, choice.tied_to);
  const Vector slope = gradient_of(quantity, post, post.from_values(fitted.values));
  if (slope.norm() > 1e-9) {
    throw Error(
        fmt::format("shrink: {} needs loss differences of quantization after training, and the "
                    "table has too few; quantize some of its runs first",
                    quantity.name));
  }
}

// One row for each part that an added constant is of, so that the grid quantizes it.
void add_parts(const Law& law, const std::vector<int>& added, std::vector<Observation>& rows) {
  double least = kUnquantizedBits, most = 0;
  for (const Observation& row : rows) {
    const double bits = least_part_bits(row);
    if (bits < kUnquantizedBits) least = std::min(least, bits), most = std::max(most, bits);
  }
  if (most == 0) least = 3, most = 8;
  const std::vector<Observation> table = rows;
  for (const int i : added) {
    for (const double bits : {least, most}) {
      Observation row = table[0];
      row.bits_weights = row.bits_activations = row.bits_kv = kUnquantizedBits;
      row.bits_keys = row.bits_values = row.bits_embedding = row.bits_head = kUnknown;
      row.precision.clear();
      const Quantity of = law.parameters[static_cast<size_t>(i)].needs.of;
      if (of == Quantity::kWeightBits || of == Quantity::kAnyBits) row.bits_weights = bits;
      if (of == Quantity::kActivationBits) row.bits_activations = bits;
      if (of == Quantity::kKvBits) row.bits_kv = bits;
      if (of == Quantity::kKeyBits)
        row.bits_kv = row.bits_keys = bits, row.bits_values = kUnquantizedBits;
      if (of == Quantity::kValueBits)
        row.bits_kv = row.bits_values = bits, row.bits_keys = kUnquantizedBits;
      if (of == Quantity::kEmbeddingBits) row.bits_embedding = bits;
      if (of == Quantity::kHeadBits) row.bits_head = bits;
      rows.push_back(row);
    }
  }
}

bool is_unquantized(const Observation& row) {
  return least_part_bits(row) >= kUnquantizedBits;
}

struct Choice {  // of experiments
  std::vector<ProposedRun> runs;
  std::vector<Experiment> experiments;
};

// Candidates that the law can predict and that should train: those predicted to end worse than
// every run of the table by a tenth are left out.
Choice experiments_of(const Fitted& fitted, const Coordinates& coordinates,
                      const std::vector<Observation>& candidates) {
  double worst = 0;
  for (const Observation& row : fitted.rows.training) worst = std::max(worst, row.loss_nats);
  std::set<double> post_bits;
  for (const Observation& row : fitted.rows.post) post_bits.insert(row.bits_post);

  Choice out;
  std::vector<Observation> losses, deltas;
  for (const Observation& candidate : candidates) {
    Observation run = candidate;
    run.loss_nats = predict(*fitted.law, fitted.values.data(), run);
    if (!(run.loss_nats > 0 && run.loss_nats <= 1.1 * worst)) continue;
    ProposedRun proposed{.run = candidate, .flop = 6 * run.params * run.tokens};
    losses.push_back(run);
    if (is_unquantized(run)) {
      for (const double bits : post_bits) {
        Observation cell = run;
        cell.bits_post = bits;
        cell.delta_nats = predict_delta(*fitted.law, fitted.values.data(), cell);
        cell.delta_standard_error = fitted.delta_error;
        if (!(cell.delta_nats > 0)) continue;
        deltas.push_back(cell);
        proposed.post_bits.push_back(bits);
      }
    }
    out.runs.push_back(std::move(proposed));
  }
  const Matrix of_losses = information_rows(fitted, Stage::kTraining, losses, coordinates);
  const Matrix of_deltas = information_rows(fitted, Stage::kPost, deltas, coordinates);
  long next = 0;
  for (size_t i = 0; i < out.runs.size(); ++i) {
    const long cells = static_cast<long>(out.runs[i].post_bits.size());
    Experiment experiment{Matrix(1 + cells, coordinates.size()), out.runs[i].flop};
    experiment.rows.row(0) = of_losses.row(static_cast<long>(i));
    experiment.rows.bottomRows(cells) = of_deltas.middleRows(next, cells);
    next += cells;
    if (experiment.rows.allFinite())
      out.experiments.push_back(std::move(experiment));
    else
      out.experiments.push_back({Matrix::Zero(1, coordinates.size()), out.runs[i].flop});
  }
  return out;
}

// errors: how many standard errors it reaches to either side.
DesignInterval interval_of(double value, double standard_error, const LawQuantity& quantity,
                           double errors) {
  const double reach = errors * standard_error;
  DesignInterval out{.standard_error = standard_error};
  out.low = quantity.logarithmic ? value * std::exp(-reach) : value - reach;
  out.high = quantity.logarithmic ? value * std::exp(reach) : value + reach;
  out.low = std::max(out.low, quantity.low), out.high = std::min(out.high, quantity.high);
  if (quantity.logarithmic) out.standard_error = value * standard_error;
  return out;
}

std::string names_of(const Law& law, const std::vector<int>& constants) {
  std::vector<std::string> names;
  for (const int i : constants) names.emplace_back(law.parameters[static_cast<size_t>(i)].name);
  return fmt::format("{}", fmt::join(names, ", "));
}

// The values of a quantity that the table's rows allow, where the curvature at the fit does not describe
// them (fit/allowed.h); NaN where it does.
Interval allowed_range(const Fitted& fitted, const ParameterChoice& choice,
                       const LawQuantity& quantity, double level, const ParallelFor& parallel_for) {
  if (fitted.training.free.empty()) return {};
  StageMinimum minimum = fit_stage(fitted.training, fitted.rows.training, parallel_for);
  std::vector<std::string> names;
  for (const int i : fitted.training.free)
    names.emplace_back(fitted.law->parameters[static_cast<size_t>(i)].name);
  add_exchanged(fitted.training, fitted.rows.training, minimum);
  const double condition =
      conditioning(stage_jacobian(fitted.training, fitted.rows.training, minimum.values), names,
                   fitted.rows.training)
          .number;
  std::vector<int> kept;
  for (const int i : choice.confounded) {
    if (fitted.law->parameters[static_cast<size_t>(i)].stage == Stage::kTraining) kept.push_back(i);
  }
  const Allowed allowed = allowed_by(fitted.training, kept, fitted.rows.training, minimum,
                                     condition, level, parallel_for);
  if (!allowed.explored) return {};
  std::vector<double> values{quantity.of(fitted.values.data())};
  for (const std::vector<double>& point : allowed.points)
    values.push_back(quantity.of(point.data()));
  return range_of_values(values);
}

}  // namespace

Design design_runs(const std::vector<Observation>& runs, const DesignOptions& options,
                   const std::vector<Observation>& candidates, const ParallelFor& parallel_for) {
  require_range("runs", options.runs, 1, 1'000'000);
  require_range("starts", options.starts, 1, kMostStarts);
  if (!(options.budget >= 0))
    throw Error(fmt::format(
        "budget: expected a positive number of FLOP, got {}; 0 means a tenth of the table's",
        options.budget));
  const Law& named = law_named(options.law);
  if (named.predicts != Predicts::kLoss) {
    throw Error(fmt::format("law: {} does not predict a loss", named.name));
  }
  const FitOptions how = fit_options(options);
  const Prepared ready = prepare(named, runs, how);
  const Law& law = ready.law();
  if (const std::string missing = missing_reference(law, ready.rows.training); !missing.empty())
    throw Error(missing);
  const ParameterChoice& choice = ready.choice;
  const Fitted fitted = fit_table(ready, how, parallel_for);

  Design out;
  out.law = law.name, out.shrink = options.shrink, out.level = options.level;
  out.points = static_cast<int>(fitted.rows.training.size() + fitted.rows.post.size());
  const bool all = options.shrink == "all";
  LawQuantity quantity;
  if (!all) {
    quantity = parse_quantity(options.shrink, law, fitted.rows.training);
    require_deltas(fitted, choice, quantity);
  }
  out.unit = quantity.unit;
  std::vector<int> added;
  const std::vector<int> free = free_constants(fitted, choice, all ? nullptr : &quantity, added);
  const Coordinates coordinates(law, fitted.values, free, choice.tied_to);
  const Vector x = coordinates.from_values(fitted.values);

  Vector direction;
  if (!all) {
    out.value = quantity.of(fitted.values.data());
    direction = gradient_of(quantity, coordinates, x);
    if (!std::isfinite(out.value) || !direction.allFinite()) {
      throw Error(fmt::format(
          "shrink: {} has no value at this fit: it is at the edge of the search range, or beyond",
          options.shrink));
    }
    if (direction.norm() == 0) {
      throw Error(fmt::format("shrink: {} does not depend on any constant that runs could identify",
                              options.shrink));
    }
  }

  const Matrix of_losses =
      information_rows(fitted, Stage::kTraining, fitted.rows.training, coordinates);
  const Matrix of_deltas = information_rows(fitted, Stage::kPost, fitted.rows.post, coordinates);
  const Matrix covariance =
      (range_information(coordinates) + information_of(fitted, Stage::kTraining, of_losses) +
       information_of(fitted, Stage::kPost, of_deltas))
          .inverse();
  if (!added.empty()) {
    out.notes.push_back(
        fmt::format("The table does not identify {}: until there are further runs, only its "
                    "allowed range is known.",
                    names_of(law, added)));
  }
  const std::vector<std::string> edges = coordinates.at_bounds(x);
  if (!edges.empty()) {
    out.notes.push_back(fmt::format("{} at the edge of its range: the table does not identify it.",
                                    fmt::join(edges, ", ")));
  }

  std::vector<Observation> possible = candidates;
  spell_as(runs, possible);
  if (possible.empty()) {
    std::vector<Observation> around = fitted.rows.training;
    add_parts(law, added, around);
    possible = candidate_grid(law, around, options.candidates);
  }
  if (how.params == "total") {
    // A candidate's N is all of its parameters; embeddings and head are as in the table.
    const FixedParams fixed = fixed_params_of(runs);
    for (Observation& run : possible) run.fixed_share = fixed.share_of_total(run.params);
  }
  const Choice choices = experiments_of(fitted, coordinates, possible);
  out.candidates = static_cast<int>(choices.runs.size());
  if (choices.runs.empty()) {
    throw Error("candidates: the law predicts losses far from those in the table for all of them");
  }
  if (choices.runs.size() < possible.size()) {
    out.notes.push_back(
        fmt::format("{} of {} candidates are left out: the law cannot predict them, or predicts a "
                    "loss more than a tenth above the largest in the table.",
                    possible.size() - choices.runs.size(), possible.size()));
  }
  out.budget = options.budget;
  if (out.budget == 0) {
    for (const Observation& row : fitted.rows.training) {
      out.budget += 0.1 * 6 * row.params * row.tokens;
    }
  }
  double cheapest = std::numeric_limits<double>::infinity();
  for (const Experiment& each : choices.experiments) cheapest = std::min(cheapest, each.cost);
  if (cheapest > out.budget) {
    throw Error(fmt::format(
        "budget too small: the cheapest candidate needs {1:.3g} FLOP, and the budget is {0:.3g}",
        out.budget, cheapest));
  }

  const Selection selection = select_experiments(covariance, direction, choices.experiments,
                                                 out.budget, static_cast<int>(options.runs));
  out.spent = selection.cost;
  const Reach reach = reach_of(fitted.rows.training);
  bool any_beyond = false;
  for (size_t i = 0; i < selection.chosen.size(); ++i) {
    ProposedRun run = choices.runs[static_cast<size_t>(selection.chosen[i])];
    run.standard_error = selection.spreads[i] * (quantity.logarithmic ? out.value : 1);
    run.beyond = words_beyond(reach, run.run);
    any_beyond |= !run.beyond.empty();
    out.runs.push_back(std::move(run));
  }
  if (any_beyond) {
    out.notes.emplace_back(
        "Runs marked with * leave the table's N, D, C or bits: what they tell holds if the law "
        "holds "
        "there. They also test whether it does.");
  }
  const std::set<int> distinct(selection.chosen.begin(), selection.chosen.end());
  if (distinct.size() < selection.chosen.size()) {
    out.notes.push_back("A run that is proposed more than once needs a different seed each time.");
  }
  const std::vector<int> cluster = number_clusters(fitted.rows.training);
  const int clusters = 1 + *std::max_element(cluster.begin(), cluster.end());
  const double freedom = std::max(1.0, clusters - static_cast<double>(fitted.training.free.size()));
  const double errors = t_quantile(0.5 * (1 + options.level), freedom);
  const auto interval = [&](double spread) {
    return all ? DesignInterval{.standard_error = spread}
               : interval_of(out.value, spread, quantity, errors);
  };
  const double before = spread_of(covariance, direction);
  out.before = interval(before);
  if (!all) {
    const Interval allowed = allowed_range(fitted, choice, quantity, options.level, parallel_for);
    constexpr double kMuch = 2;
    if (allowed.high - allowed.low > kMuch * (out.before.high - out.before.low)) {
      out.before.low = std::min(out.before.low, allowed.low);
      out.before.high = std::max(out.before.high, allowed.high);
      out.notes.push_back(fmt::format(
          "The table does not identify {}: its interval now is all that the rows allow. What runs "
          "promise is computed at one of the fits that are as good, and may come out otherwise.",
          options.shrink));
    }
  }
  out.after = interval(selection.spreads.empty() ? before : selection.spreads.back());
  out.random = interval(spread_of_random_choices(covariance, direction, choices.experiments,
                                                 out.budget, options.runs, options.seed));
  return out;
}

}  // namespace bitlaw
