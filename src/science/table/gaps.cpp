#include "table/gaps.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <tuple>

#include "base/error.h"
#include "base/names.h"
#include "laws/bind.h"
#include "table/observation_columns.h"
#include "table/pure_error.h"

namespace bitlaw {
namespace {

// Runs that may be compared but for the precision and the seed.
using Setting = std::tuple<double, double, std::vector<std::string>>;

Setting setting_of(const FactorRow& row) {
  std::vector<std::string> fixed;
  for (const Factor& factor : factors()) {
    const bool of_precision = *factor.bits != '\0' || factor.name == std::string_view("precision");
    if (factor.varies == Varies::kNever && !of_precision) fixed.push_back(row.value(factor));
  }
  return {row.params, row.tokens, std::move(fixed)};
}

// Of these rows, those that have the other settings of a row, too: its learning rate, batch, depth.
std::vector<size_t> with_same_factors(const std::vector<FactorRow>& all, size_t row,
                                      const std::vector<size_t>& among) {
  std::vector<size_t> out;
  for (const size_t other : among) {
    bool same = true;
    for (const Factor& factor : factors()) {
      if (factor.varies != Varies::kBySize || *factor.bits != '\0') continue;
      const std::string &here = all[row].value(factor), &there = all[other].value(factor);
      same = same && (here == there || here.empty() || there.empty());
    }
    if (same) out.push_back(other);
  }
  return out;
}

struct Paired {
  double loss = 0;      // mean
  double variance = 0;  // of that mean, by the standard errors of its losses; NaN = unknown
};

// Which rows err together: a tree of parents, the root its own.
class SharedReferences {
 public:
  explicit SharedReferences(size_t rows) : parent_(rows) {
    std::iota(parent_.begin(), parent_.end(), size_t{0});
  }
  size_t root(size_t row) {
    while (parent_[row] != row) row = parent_[row] = parent_[parent_[row]];
    return row;
  }
  void join(size_t a, size_t b) { parent_[root(a)] = root(b); }

 private:
  std::vector<size_t> parent_;
};

Paired mean_of(const std::vector<size_t>& rows, const std::vector<Observation>& runs) {
  Paired out;
  const auto count = static_cast<double>(rows.size());
  for (const size_t row : rows) {
    out.loss += runs[row].loss_nats / count;
    out.variance += std::pow(runs[row].loss_standard_error / count, 2);
  }
  return out;
}

// The deviation of gaps that differ in nothing but the seed, each to a reference of its own; NaN with
// too few degrees of freedom. Gaps to one reference have its noise in common, which their spread lacks.
double between_seeds(const std::vector<Observation>& runs, const std::vector<FactorRow>& rows,
                     const std::vector<bool>& has_own) {
  using Cell = std::tuple<double, double, std::vector<std::string>, std::string, std::string>;
  std::map<Cell, std::map<std::string, double>> cells;  // gaps by seed
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!has_own[i]) continue;
    cells[{rows[i].params, rows[i].tokens, rows[i].fixed_values(), rows[i].precision,
           class_of(runs[i])}]
        .emplace(rows[i].seed, runs[i].delta_nats);
  }
  double squares = 0;
  int freedom = 0;
  for (const auto& [unused, gaps] : cells) {
    double mean = 0;
    for (const auto& [seed, gap] : gaps) mean += gap / static_cast<double>(gaps.size());
    for (const auto& [seed, gap] : gaps) squares += (gap - mean) * (gap - mean);
    freedom += static_cast<int>(gaps.size()) - 1;
  }
  return freedom >= PureError::kFewestFreedom ? std::sqrt(squares / freedom) : kUnknown;
}

}  // namespace

void take_gaps(Table& table, const std::string& name, const std::string& where) {
  const std::vector<FactorRow> merged = merge_numbers(table.factors);
  const PureError noise = pure_error(table.factors);
  std::map<Setting, std::vector<size_t>> references;
  for (size_t i = 0; i < table.runs.size(); ++i) {
    const Observation& run = table.runs[i];
    if (!run.is_post_training() && precision_class(run).empty() && run.loss_nats > 0)
      references[setting_of(merged[i])].push_back(i);
  }
  size_t used = 0, of_other_seeds = 0, of_other_settings = 0, alone = 0, cells = 0;
  std::vector<bool> stays(table.runs.size());
  std::vector<bool> is_used(table.runs.size());
  std::vector<bool> has_own(table.runs.size());  // a reference of its seed
  SharedReferences groups(table.runs.size());
  std::map<std::string, size_t> first_of;  // of each cluster of the table
  for (size_t i = 0; i < table.runs.size(); ++i) {
    const std::string& cluster = table.runs[i].cluster;
    if (cluster.empty() || !precision_class(table.runs[i]).empty()) continue;
    groups.join(i, first_of.try_emplace(cluster, i).first->second);
  }
  for (size_t i = 0; i < table.runs.size(); ++i) {
    Observation& run = table.runs[i];
    if (run.is_post_training()) {
      ++cells;
      continue;
    }
    if (precision_class(run).empty()) continue;
    const auto found = references.find(setting_of(merged[i]));
    if (found == references.end() || !(run.loss_nats > 0)) {
      ++alone;
      continue;
    }
    const std::vector<size_t> alike = with_same_factors(merged, i, found->second);
    of_other_settings += alike.empty();
    const std::vector<size_t>& comparable = alike.empty() ? found->second : alike;
    std::vector<size_t> of_seed;
    for (const size_t row : comparable) {
      if (!merged[i].seed.empty() && merged[row].seed == merged[i].seed) of_seed.push_back(row);
    }
    of_other_seeds += of_seed.empty() && !merged[i].seed.empty();
    const std::vector<size_t>& rows = of_seed.empty() ? comparable : of_seed;
    const Paired reference = mean_of(rows, table.runs);
    for (const size_t row : rows) {
      is_used[row] = true;
      groups.join(i, row);
    }
    has_own[i] = !of_seed.empty();
    run.delta_nats = run.loss_nats - reference.loss;
    run.delta_standard_error = std::sqrt(std::pow(run.loss_standard_error, 2) + reference.variance);
    stays[i] = true;
    ++used;
  }
  if (used == 0) {
    throw Error(fmt::format(
        "{}: --gap-to {}: no run has a reference of its N and D; the table has {} runs of {} and "
        "{} "
        "others",
        where, printable(name), table.runs.size() - alone - cells, printable(name), alone));
  }
  std::vector<bool> own;  // of the rows that stay
  for (size_t i = 0; i < table.runs.size(); ++i) {
    if (!stays[i]) continue;
    table.runs[i].cluster = fmt::format("reference {}", groups.root(i) + 1);
    own.push_back(has_own[i]);
  }
  keep_only(
      table, [&](size_t row) { return stays[row]; },
      "no gap: a reference run, a cell of quantization, or without a reference of its N and D");

  double error = between_seeds(table.runs, merge_numbers(table.factors), own);
  std::string origin = "the error of a gap is that between seeds";
  if (!std::isfinite(error) && noise.all.freedom() >= PureError::kFewestFreedom) {
    error = std::numbers::sqrt2 * noise.all.deviation();
    origin = "the error of a gap is that of losses between seeds, times sqrt 2";
  }
  bool known = std::isfinite(error);
  if (known) {
    for (Observation& run : table.runs) run.delta_standard_error = error;
    origin += fmt::format(", {:.3g} nats", error);
  } else {
    known = true;
    for (Observation& run : table.runs) {
      if (!(run.delta_standard_error > 0)) run.delta_standard_error = kUnknown, known = false;
    }
    origin =
        known ? "the error of a gap is that of its two losses, as if they were independent"
              : "nothing tells the error of a gap: add a column of seeds, with several of them, or "
                "loss_standard_error";
  }
  size_t reference_runs = 0;
  for (const bool each : is_used) reference_runs += each;
  std::string note = fmt::format("Gaps: {} runs are paired with {} of {} at their N and D; {}.",
                                 used, reference_runs, printable(name), origin);
  if (of_other_seeds > 0)
    note += fmt::format(
        " {} have no reference of their seed and are held against the mean of the "
        "others.",
        of_other_seeds);
  if (of_other_settings > 0)
    note += fmt::format(
        " {} have no reference of their settings (learning rate and the like), and are "
        "held against those at their N and D.",
        of_other_settings);
  if (alone > 0)
    note += fmt::format(" {} without a reference of their N and D are left out.", alone);
  if (cells > 0)
    note += fmt::format(" {} cells of quantization after training are left out.", cells);
  table.notes.push_back(std::move(note));
}

}  // namespace bitlaw
