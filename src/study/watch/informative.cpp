#include "watch/informative.h"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>

#include "base/error.h"
#include "data/dataset.h"
#include "design/design.h"
#include "design/selection.h"
#include "laws/bind.h"
#include "laws/registry.h"
#include "record/result.h"
#include "runs/tidy_rows.h"
#include "table/factors.h"
#include "table/table.h"
#include "table/tidy_table.h"
#include "train/run.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// Of the FLOP of all runs that are left, what the next ones may take together.
constexpr double kShareOfTheRest = 0.5;

std::vector<Observation> observations(const std::vector<TidyRow>& rows, const std::string& law,
                                      bool measured) {
  if (rows.empty()) return {};
  TableOptions how;
  how.may_differ.modelled = modelled_factors(law_named(law));
  how.measured = measured;
  return table_of(tidy_table(rows), "runs", how).runs;
}

bool same_number(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

// To the law: seeds, for example, are no difference.
bool same_run(const Observation& a, const Observation& b) {
  return a.params == b.params && a.tokens == b.tokens && a.bits_weights == b.bits_weights &&
         a.bits_activations == b.bits_activations && a.bits_kv == b.bits_kv &&
         same_number(a.exponent_bits, b.exponent_bits) &&
         same_number(a.unique_tokens, b.unique_tokens) && same_number(a.group, b.group);
}

double flop_of(const Observation& run) {
  return 6 * run.params * run.tokens;
}

// ---- before there are enough runs for a fit ----

// What is then taken for granted: published constants, each to a factor of e, and the loss of a run to
// a thousandth.
constexpr double kNoise = 1e-3;

// The derivatives of the logarithm of the loss by those of the constants, in units of kNoise; what has
// no loss at these constants tells nothing.
Matrix slopes_of(const Law& law, const std::vector<double>& values, const Observation& run) {
  constexpr double kStep = 1e-4;
  Matrix slopes = Matrix::Zero(1, static_cast<long>(law.training_parameters));
  for (size_t j = 0; j < law.training_parameters; ++j) {
    const auto loss_at = [&](double factor) {
      std::vector<double> moved = values;
      moved[j] *= factor;
      return std::log(predict(law, moved.data(), run));
    };
    const double slope = (loss_at(1 + kStep) - loss_at(1 - kStep)) / (2 * kStep * kNoise);
    if (std::isfinite(slope)) slopes(0, static_cast<long>(j)) = slope;
  }
  return slopes;
}

std::vector<Observation> chosen_before_a_fit(const Law& named,
                                             const std::vector<Observation>& table,
                                             const std::vector<Observation>& candidates,
                                             double budget, int64_t count) {
  std::vector<Observation> all = table;
  all.insert(all.end(), candidates.begin(), candidates.end());
  const BoundLaw bound = bind_law(named, all);
  const Law& law = bound.law();
  const std::span<const double> published = find_constants(law, "")->values;
  const std::vector<double> values(published.begin(), published.end());
  const long size = static_cast<long>(law.training_parameters);
  Matrix information = Matrix::Identity(size, size);
  for (const Observation& run : table) {
    const Matrix slopes = slopes_of(law, values, run);
    information += slopes.transpose() * slopes;
  }
  std::vector<Experiment> experiments;
  for (const Observation& run : candidates)
    experiments.push_back({slopes_of(law, values, run), flop_of(run)});
  const Selection selection =
      select_experiments(information.inverse(), {}, experiments, budget, static_cast<int>(count));
  std::vector<Observation> chosen;
  for (const int i : selection.chosen) chosen.push_back(candidates[static_cast<size_t>(i)]);
  return chosen;
}

}  // namespace

std::vector<TidyRow> planned_rows(const std::vector<Job>& jobs, const fs::path& directory) {
  std::map<std::string, DatasetInfo> data;
  std::vector<TidyRow> rows;
  for (const Job& job : jobs) {
    if (job.kind != JobKind::kTrain) {
      rows.emplace_back();
      continue;
    }
    TrainConfig config;
    fill(config, job.configuration, job.name);
    const auto [place, is_new] = data.try_emplace(config.data.path);
    if (is_new) place->second = Dataset::open(directory / config.data.path).info();
    rows.push_back(
        tidy_row_of(job.run, make_run_record(resolve(config, place->second), place->second)));
  }
  return rows;
}

std::vector<size_t> most_informative(const std::vector<Job>& jobs,
                                     const std::vector<TidyRow>& planned,
                                     const std::vector<TidyRow>& rows, const std::string& law,
                                     const ParallelFor& parallel_for) {
  std::set<std::string> ended;
  std::vector<TidyRow> finished;
  for (const TidyRow& row : rows) {
    if (!row.is_run() || row.is_along()) continue;
    if (row.status != name_of(RunStatus::kStarted)) ended.insert(row.run);
    if (row.status == name_of(RunStatus::kFinished)) finished.push_back(row);
  }
  std::vector<size_t> left;
  std::vector<TidyRow> left_rows;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].kind != JobKind::kTrain || ended.contains(jobs[i].run)) continue;
    left.push_back(i);
    left_rows.push_back(planned[i]);
  }
  if (left.empty()) return {};
  const std::vector<Observation> candidates = observations(left_rows, law, false);
  if (candidates.size() != left.size()) return {};  // some may not be fitted
  double all = 0, largest = 0;
  for (const Observation& run : candidates) {
    all += flop_of(run);
    largest = std::max(largest, flop_of(run));
  }
  const std::vector<Observation> table = observations(finished, law, true);
  const double budget = std::max(largest, kShareOfTheRest * all);
  const int64_t count = std::min<int64_t>(kChosenRuns, std::ssize(left));
  std::vector<Observation> chosen;
  try {
    const Design design =
        design_runs(table, {.law = law, .shrink = "all", .budget = budget, .runs = count},
                    candidates, parallel_for);
    for (const ProposedRun& proposed : design.runs) chosen.push_back(proposed.run);
  } catch (const Error&) {  // too few rows for a fit
    chosen = chosen_before_a_fit(law_named(law), table, candidates, budget, count);
  }
  std::vector<size_t> order;
  std::vector<bool> taken(left.size(), false);
  for (const Observation& run : chosen) {
    for (size_t k = 0; k < left.size(); ++k) {
      if (taken[k] || !same_run(candidates[k], run)) continue;
      taken[k] = true;
      order.push_back(left[k]);
      break;
    }
  }
  return order;
}

}  // namespace bitlaw
