#include "compare/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/range.h"
#include "base/text.h"
#include "fit/allowed.h"
#include "fit/bootstrap.h"
#include "fit/equal_parts.h"
#include "fit/holdout.h"
#include "fit/identify.h"
#include "fit/multistart.h"
#include "fit/penalty.h"
#include "fit/reference.h"
#include "fit/setup.h"
#include "fit/shared_share.h"
#include "fit/threshold.h"
#include "laws/effective.h"

namespace bitlaw {
namespace {

struct Task {  // the same for every law
  const std::vector<Observation>* runs;
  FitOptions fit;
  CompareOptions options;
  const ParallelFor* parallel_for;
};

FitOptions fit_options(const CompareOptions& options) {
  FitOptions out;
  out.objective = options.objective;
  out.huber_delta = options.huber_delta;
  if (out.objective == "least-squares") out.post_threshold = 0;  // squares
  out.params = options.params;
  out.method = options.method;
  out.starts = options.starts;
  out.seed = options.seed;
  return out;
}

// What a law asks of a row and the table may lack: the fields that, once given, make its
// prediction a number.
std::string missing_columns(const Law& law, const std::vector<double>& values,
                            const std::vector<Observation>& rows) {
  struct Optional {
    const char* name;
    void (*give)(Observation&);
  };
  constexpr Optional kOptional[] = {
      {"the quantizer's group size", [](Observation& run) { run.group = 128; }},
      {"exponent bits", [](Observation& run) { run.exponent_bits = 4; }},
      {"mantissa bits", [](Observation& run) { run.mantissa_bits = 3; }},
      {"the Gaussian error of the formats",
       [](Observation& run) {
         run.gaussian_error_weights = run.gaussian_error_activations = run.gaussian_error_kv = 0.01;
       }},
      {"distinct tokens", [](Observation& run) { run.unique_tokens = run.tokens; }},
  };
  int without = 0;
  std::vector<std::string> names;
  for (const Observation& row : rows) {
    if (!std::isnan(predict(law, values.data(), row))) continue;
    ++without;
    for (const Optional& field : kOptional) {
      Observation helped = row;
      field.give(helped);
      if (std::isnan(predict(law, values.data(), helped))) continue;
      if (!std::count(names.begin(), names.end(), field.name)) names.emplace_back(field.name);
    }
  }
  if (without == 0) return "no start gave a finite loss";
  return fmt::format("{} of {} rows lack {}", without, rows.size(),
                     names.empty() ? "a quantity that the law needs"
                                   : fmt::format("{}", fmt::join(names, " or ")));
}

// R^2 of losses, or of logarithms of deltas that are clear of noise; and the RMS of log residuals.
void describe_residuals(const Law& law, Stage stage, const std::vector<Observation>& rows,
                        ComparedLaw& entry) {
  const std::vector<double> logs = log_residuals(law, stage, entry.values, rows);
  std::vector<double> observed, predicted;
  double sum = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!std::isfinite(logs[i])) continue;
    const bool differences = is_of_differences(law, stage);
    const double value = differences ? std::log(rows[i].delta_nats) : measured(law, rows[i]);
    observed.push_back(value);
    predicted.push_back(differences ? value + logs[i] : value * std::exp(logs[i]));
    sum += logs[i] * logs[i];
  }
  entry.r2 = r_squared(observed, predicted);
  entry.rms_log = std::sqrt(sum / static_cast<double>(observed.size()));
}

// Which constants the rows tell: those to which `fit` gives a value and both ends of an interval.
void note_identified(const Task& task, const StageSetup& setup, const ParameterChoice& choice,
                     const std::vector<Observation>& rows, const StageMinimum& minimum,
                     ComparedLaw& entry) {
  const Law& law = *setup.law;
  std::vector<std::string> names;
  for (const int i : setup.free) names.emplace_back(law.parameters[static_cast<size_t>(i)].name);
  const double condition =
      conditioning(stage_jacobian(setup, rows, minimum.values), names, rows).number;
  const Allowed allowed = allowed_by(setup, confounded_of(law, setup.settings.stage, choice), rows,
                                     minimum, condition, task.fit.level, *task.parallel_for);
  entry.identified.assign(law.parameters.size(), true);
  for (size_t i = 0; i < law.parameters.size(); ++i) {
    const int tied_to = choice.tied_to[i];
    const AllowedRange* range = allowed.range(tied_to >= 0 ? tied_to : static_cast<int>(i));
    // Beside no interval, a value of which the rows bound one side alone would say too much.
    if (range != nullptr && !range->regular)
      entry.identified[i] = range->identified() && !range->low_open && !range->high_open;
  }
  entry.allowed = allowed.points;
}

// Fits one stage of a law and predicts the rows held out. `base`: constants that stay where they
// are not fitted.
void measure(const Task& task, const Law& law, Stage stage, const std::vector<Observation>& rows,
             const ParameterChoice& choice, const std::vector<double>& base,
             const std::vector<std::vector<bool>>& masks, ComparedLaw& entry) {
  StageSetup setup = setup_of(law, stage, choice, base, task.fit);
  entry.k = static_cast<int>(setup.free.size());
  entry.values = base;
  entry.frozen = choice.reasons;
  for (size_t i = 0; i < entry.frozen.size(); ++i) {
    if (law.parameters[i].stage != stage && entry.frozen[i].empty()) {
      entry.frozen[i] = "a constant of the other stage";
    }
  }
  if (rows.size() <= setup.free.size()) {
    entry.note = fmt::format("{} rows for {} constants: too few", rows.size(), setup.free.size());
    return;
  }
  if (stage == Stage::kTraining) settle_threshold(task.fit, rows, *task.parallel_for, setup);
  const Multistart found = fit_adaptively(setup, rows, {}, *task.parallel_for);
  if (!std::isfinite(found.best.objective)) {
    entry.note = missing_columns(law, base, rows);
    return;
  }
  entry.fitted = true;
  entry.sse = 0;
  entry.values = found.best.values;
  entry.starts = found.best.starts;
  entry.reached = found.best.reached;
  entry.minima = found.minima;
  entry.converged = found.best.converged;
  entry.threshold = setup.settings.huber;
  entry.residuals = stage_residuals(setup, rows, entry.values);
  for (const double residual : entry.residuals) entry.sse += residual * residual;
  describe_residuals(law, stage, rows, entry);
  if (law.predicts == Predicts::kLoss && stage == Stage::kTraining)
    entry.penalty_r2 = penalty_fit(law, entry.values, rows).r2;
  const Coordinates coordinates(law, setup.base, setup.free, setup.tied_to);
  entry.at_edge = coordinates.at_bounds(coordinates.from_values(entry.values));

  StageMinimum minimum = found.best;
  if (stage == Stage::kTraining) add_exchanged(setup, rows, minimum);
  note_identified(task, setup, choice, rows, minimum, entry);

  const Unseen unseen = predict_unseen(setup, rows, masks, {entry.values}, *task.parallel_for);
  entry.missing = unseen.missing;
  entry.held_out = unseen.residuals();
  for (const double residual : entry.held_out) {
    entry.squares.push_back(std::isfinite(residual) ? residual * residual : kUnknown);
    entry.predicted += std::isfinite(residual);
  }
}

// AICc of every fitted law, by the independent rows that the rows count for.
void add_information(const std::vector<Observation>& rows, ComparePart& part) {
  const ComparedLaw* closest = nullptr;
  for (const ComparedLaw& law : part.laws) {
    if (law.fitted && (!closest || law.sse < closest->sse)) closest = &law;
  }
  if (!closest) return;
  const std::vector<int> cluster = number_clusters(rows);
  const Vector residuals = Eigen::Map<const Vector>(closest->residuals.data(),
                                                    static_cast<long>(closest->residuals.size()));
  part.shared = shared_share(residuals, cluster);
  part.independent = independent_rows(cluster, part.shared);
  for (ComparedLaw& law : part.laws) {
    if (!law.fitted) continue;
    law.aicc = corrected_information(misfit(law.residuals, law.threshold), part.independent, law.k);
  }
}

// P* of every fitted law, of the parts that the rows quantize together.
void add_best_bits(const std::vector<Observation>& rows, ComparePart& part) {
  if (part.gaps) return;
  Parts lowered{};
  for (const Observation& row : rows) {
    lowered[0] |= row.bits_weights < kUnquantizedBits;
    lowered[1] |= row.bits_activations < kUnquantizedBits;
    lowered[2] |= row.bits_kv < kUnquantizedBits;
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < lowered.size(); ++i) {
    if (lowered[i]) names.emplace_back(std::array{"weights", "activations", "KV"}[i]);
  }
  if (names.empty()) return;
  part.best_bits_of = fmt::format("{}", fmt::join(names, ", "));
  const Middle middle = middle_of(rows);
  part.best_bits_compute = middle.next_compute;
  for (ComparedLaw& law : part.laws) {
    if (!law.fitted) continue;
    if (!has_parts(law.bound.law(), law.values.data(), lowered)) continue;
    const auto best = [&](const std::vector<double>& values) {
      return best_bits(law.bound.law(), values.data(), middle.next_compute, lowered, middle.run);
    };
    law.best_bits = best(law.values);
    law.best_bits_allowed = {law.best_bits, law.best_bits};
    for (const std::vector<double>& values : law.allowed) {
      const double other = best(values);
      law.best_bits_allowed.low = std::fmin(law.best_bits_allowed.low, other);
      law.best_bits_allowed.high = std::fmax(law.best_bits_allowed.high, other);
    }
  }
}

// Laws that differ in what these rows do not have, such as bits, are one law here.
void find_coinciding(std::vector<ComparedLaw>& laws) {
  const auto near = [](double a, double b, double within) {
    return (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) <= within * std::fabs(b);
  };
  const auto coincide = [&](const ComparedLaw& a, const ComparedLaw& b) {
    return a.fitted && b.fitted && a.k == b.k && near(a.sse, b.sse, 1e-6) &&
           near(a.held_out_rms, b.held_out_rms, 1e-2);
  };
  // The first of the registry stands for all.
  for (ComparedLaw& law : laws) {
    const ComparedLaw* first = &law;
    for (const ComparedLaw& other : laws) {
      if (coincide(law, other) && other.bound.law().index < first->bound.law().index)
        first = &other;
    }
    if (first != &law) law.same_as = first->name;
  }
}

// Laws that predict at least half of the rows held out are judged, all on the same rows: those that
// each of them predicts.
void judge(const std::vector<Observation>& rows, ComparePart& part) {
  add_information(rows, part);
  std::vector<bool> common(rows.size(), true);
  for (ComparedLaw& entry : part.laws) {
    entry.judged = entry.fitted && entry.predicted > 0 && 2 * entry.predicted >= part.held_out;
    if (entry.fitted && entry.predicted < part.held_out) {
      entry.note = fmt::format("predicts {} of {} held-out rows{}{}", entry.predicted,
                               part.held_out, entry.missing.empty() ? "" : ": ", entry.missing);
    }
    if (!entry.judged) continue;
    for (size_t i = 0; i < rows.size(); ++i) {
      common[i] = common[i] && !std::isnan(entry.squares[i]);
    }
  }
  const std::vector<int> cluster = number_clusters(rows);
  for (ComparedLaw& entry : part.laws) {
    if (!entry.judged) continue;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!common[i]) entry.squares[i] = kUnknown;
    }
    const MeanSquare square = mean_square(entry.squares, cluster);
    part.judged = square.rows;
    part.judged_clusters = square.clusters;
    entry.held_out_rms = std::sqrt(square.mean);
    entry.held_out_error = square.standard_error / (2 * entry.held_out_rms);  // of a root
  }
  // Judged laws by their error, then fitted ones by AICc, then the others.
  const auto rank = [](const ComparedLaw& entry) {
    const double value = entry.judged ? entry.held_out_rms : entry.fitted ? entry.aicc : 0;
    return std::pair(entry.judged   ? 0
                     : entry.fitted ? 1
                                    : 2,
                     std::isnan(value) ? std::numeric_limits<double>::infinity() : value);
  };
  std::stable_sort(part.laws.begin(), part.laws.end(),
                   [&](const ComparedLaw& a, const ComparedLaw& b) { return rank(a) < rank(b); });
  for (ComparedLaw& entry : part.laws) {
    if (!entry.judged) continue;
    const ComparedLaw& best = part.laws[0];
    entry.from_best = difference_of(entry.squares, best.squares, cluster);
    entry.tied = is_tie(entry.from_best);
  }
  find_coinciding(part.laws);
}

std::vector<std::vector<bool>> masks_of(const std::vector<Observation>& rows,
                                        const CompareOptions& options, ComparePart& part) {
  part.hold_out = options.hold_out;
  part.gaps = options.gaps;
  part.most_starts = static_cast<int>(options.starts);
  part.points = static_cast<int>(rows.size());
  const std::vector<int> cluster = number_clusters(rows);
  part.clusters = rows.empty() ? 0 : 1 + *std::max_element(cluster.begin(), cluster.end());
  const auto masks =
      hold_out_masks(rows, options.hold_out, static_cast<int>(options.folds), options.seed);
  for (size_t i = 0; i < rows.size(); ++i) {
    part.held_out += std::any_of(masks.begin(), masks.end(), [&](auto& mask) { return mask[i]; });
  }
  if (masks.empty()) {
    part.problem = why_no_masks(rows, options.hold_out);
  }
  return masks;
}

// A law whose training constants come from the first comparison, on loss differences.
ComparedLaw measure_post(const Task& task, const ComparedLaw& trained, const Prepared& ready,
                         const std::vector<std::vector<bool>>& masks) {
  ComparedLaw entry;
  entry.bound = trained.bound;
  entry.name = trained.name;
  measure(task, entry.bound.law(), Stage::kPost, ready.rows.judged, ready.choice, trained.values,
          masks, entry);
  if (!trained.fitted) {
    const char* const words = "training constants at published values";
    entry.note += entry.note.empty() ? words : std::string("; ") + words;
  }
  return entry;
}

}  // namespace

std::vector<const Law*> laws_to_compare(const CompareOptions& options,
                                        std::vector<std::string>& notes) {
  std::vector<const Law*> out;
  bool all = options.laws.empty();
  for (const std::string& list : options.laws) {
    for (const std::string& item : split(list, ',')) {
      const std::string name = trim(item);
      all |= name == "all";
      if (name == "all") continue;
      const Law& law = law_named(name);
      if (std::find(out.begin(), out.end(), &law) == out.end()) out.push_back(&law);
    }
  }
  if (all) {
    std::erase_if(out, [](const Law* law) { return law->own == nullptr; });
    std::vector<const Law*> every;
    for (const Law& law : laws()) every.push_back(&law);
    out.insert(out.begin(), every.begin(), every.end());
  }
  const Predicts wanted = options.gaps ? Predicts::kGap : Predicts::kLoss;
  std::vector<std::string> others;
  std::erase_if(out, [&](const Law* law) {
    if (law->predicts == wanted) return false;
    // Who compares all laws of losses asked for no law of gaps.
    if (!all || law->predicts == Predicts::kQatShare) others.emplace_back(law->name);
    return true;
  });
  const char* what = options.gaps ? "gap" : "training loss";
  if (!others.empty() && !(all && options.gaps)) {
    notes.push_back(fmt::format("{} {} left out: {} not predict a {}.", fmt::join(others, ", "),
                                others.size() == 1 ? "is" : "are",
                                others.size() == 1 ? "it does" : "they do", what));
  }
  if (out.empty())
    throw Error(fmt::format("laws: none of these predicts a {}; see `bitlaw laws`", what));
  return out;
}

Comparison compare_laws(const std::vector<Observation>& runs, const CompareOptions& options,
                        const ParallelFor& parallel_for) {
  Comparison out;
  const std::vector<const Law*> chosen = laws_to_compare(options, out.notes);
  check_split(options.hold_out);
  require_range("folds", options.folds, 2, 1'000'000);
  require_range("starts", options.starts, 1, kMostStarts);
  const Task task{&runs, fit_options(options), options, &parallel_for};

  ComparePart training, post;
  post.stage = Stage::kPost;
  std::vector<std::vector<bool>> training_masks, post_masks;
  std::vector<Observation> training_rows, post_rows;
  std::vector<std::string> without_reference;
  for (const Law* unbound : chosen) {
    const Prepared ready = prepare(*unbound, runs, task.fit);
    const StageRows& rows = ready.rows;
    ComparedLaw entry;
    entry.bound = ready.bound;
    entry.name = unbound->name;
    if (training_rows.empty() && !rows.training.empty()) {
      training_rows = rows.training;
      training_masks = masks_of(training_rows, options, training);
      if (training_masks.empty()) throw Error(training.problem);
    }
    entry.values = ready.choice.base;
    if (missing_reference(ready.law(), rows.training).size() > 0)
      without_reference.push_back(entry.name);
    if (!rows.training.empty()) {
      measure(task, ready.law(), Stage::kTraining, rows.training, ready.choice, ready.choice.base,
              training_masks, entry);
    }
    if (!rows.judged.empty()) {
      if (post_rows.empty()) {
        post_rows = rows.judged;
        post_masks = masks_of(post_rows, options, post);
      }
      post.laws.push_back(measure_post(task, entry, ready, post_masks));
    }
    training.laws.push_back(std::move(entry));
  }
  if (!without_reference.empty()) {
    out.notes.push_back(
        fmt::format("No row is unquantized, so {} can predict these rows, but the constants of "
                    "their classes mean nothing by themselves: --reference names that class.",
                    fmt::join(without_reference, ", ")));
  }
  if (training_rows.empty() && post_rows.empty()) {
    throw Error("the table has no training loss to compare laws on");
  }

  if (!training_rows.empty()) {
    judge(training_rows, training);
    training.params = options.params;
    add_best_bits(training_rows, training);
    training.rows = std::move(training_rows);
    out.training = std::move(training);
  }
  if (!post_rows.empty()) {
    judge(post_rows, post);
    post.rows = std::move(post_rows);
    out.post = std::move(post);
  }
  return out;
}

}  // namespace bitlaw
