#include "table/merge_replicates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/names.h"
#include "record/factor.h"
#include "table/replicates.h"

namespace bitlaw {
namespace {

// Of each row, a text that is equal for equal inputs; "" for rows that stay as they are.
std::vector<std::string> inputs_of(const Table& table) {
  const std::vector<int> settings = number_settings(table.runs);
  std::vector<int> rows_of(table.runs.size(), 0);  // by number of their settings
  for (const int number : settings) ++rows_of[static_cast<size_t>(number)];
  std::vector<std::string> out;
  for (size_t i = 0; i < table.runs.size(); ++i) {
    std::string& text = out.emplace_back();
    if (rows_of[static_cast<size_t>(settings[i])] < 2) continue;
    if (table.runs[i].is_post_training() || !(table.runs[i].loss_nats > 0)) continue;
    text = std::to_string(settings[i]);
    for (const Factor& factor : factors()) {
      if (factor.varies == Varies::kNever) text += '\n' + table.factors[i].value(factor);
    }
  }
  return out;
}

using Groups = std::vector<std::vector<size_t>>;

// Of two rows and more, in the order of their first.
Groups groups_of(const std::vector<std::string>& inputs) {
  std::map<std::string, size_t> places;
  Groups all;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].empty()) continue;
    const auto [place, is_new] = places.emplace(inputs[i], all.size());
    if (is_new) all.emplace_back();
    all[place->second].push_back(i);
  }
  std::erase_if(all, [](const std::vector<size_t>& rows) { return rows.size() < 2; });
  return all;
}

size_t best_of(const Table& table, const std::vector<size_t>& rows) {
  return *std::min_element(rows.begin(), rows.end(), [&](size_t a, size_t b) {
    return table.runs[a].loss_nats < table.runs[b].loss_nats;
  });
}

// The mean of their losses in the first of them.
size_t mean_of(Table& table, const std::vector<size_t>& rows) {
  const auto count = static_cast<double>(rows.size());
  double mean = 0, squares = 0;
  for (const size_t row : rows) mean += table.runs[row].loss_nats / count;
  for (const size_t row : rows) squares += std::pow(table.runs[row].loss_nats - mean, 2);
  Observation& first = table.runs[rows[0]];
  first.loss_nats = table.factors[rows[0]].loss = mean;
  first.loss_standard_error = std::sqrt(squares / (count - 1) / count);
  table.factors[rows[0]].seed.clear();
  return rows[0];
}

bool is_grid(const Table& table, const std::vector<size_t>& rows) {
  return std::any_of(factors().begin(), factors().end(), [&](const Factor& factor) {
    const std::string& first = table.factors[rows[0]].value(factor);
    return factor.varies == Varies::kBySize &&
           std::any_of(rows.begin(), rows.end(),
                       [&](size_t row) { return table.factors[row].value(factor) != first; });
  });
}

// Names of clusters, each with one that stands for all that it is joined with.
class Joined {
 public:
  std::string of(std::string name) const {
    for (auto next = into_.find(name); next != into_.end(); next = into_.find(name))
      name = next->second;
    return name;
  }
  void join(const std::string& a, const std::string& b) {
    const std::string one = of(a), other = of(b);
    if (one != other) into_[other] = one;
  }

 private:
  std::map<std::string, std::string> into_;
};

}  // namespace

Replicates parse_replicates(const std::string& text) {
  if (text == "all") return Replicates::kAll;
  if (text == "best") return Replicates::kBest;
  if (text == "mean") return Replicates::kMean;
  throw Error("replicates: " + unknown_name("word", text, {"all", "best", "mean"}));
}

void merge_replicates(Table& table, Replicates how) {
  if (how == Replicates::kAll) return;
  std::vector<bool> dropped(table.runs.size(), false);
  int merged = 0, left = 0;
  for (const std::vector<size_t>& rows : groups_of(inputs_of(table))) {
    const size_t kept = how == Replicates::kBest ? best_of(table, rows) : mean_of(table, rows);
    for (const size_t row : rows) dropped[row] = row != kept;
    merged += static_cast<int>(rows.size());
    ++left;
  }
  keep_only(
      table, [&](size_t row) { return !dropped[row]; },
      how == Replicates::kBest ? "another run of equal inputs has a lower loss"
                               : "its loss is part of a mean of runs of equal inputs");
  if (merged == 0) {
    table.notes.emplace_back("No two runs have equal inputs, so there are no replicates to merge.");
    return;
  }
  table.notes.push_back(fmt::format(
      "{} runs of equal inputs became {}: {} of each.", merged, left,
      how == Replicates::kBest ? "the one with the least loss" : "the mean of the losses"));
}

void cluster_by_inputs(Table& table) {
  for (const std::vector<size_t>& rows : groups_of(inputs_of(table))) {
    const bool free = std::all_of(rows.begin(), rows.end(),
                                  [&](size_t row) { return table.runs[row].cluster.empty(); });
    if (!free) continue;
    for (const size_t row : rows)
      table.runs[row].cluster = fmt::format("inputs of row {}", rows[0] + 1);
  }
}

int join_grids(Table& table) {
  Joined joined;
  int rows_in_grids = 0;
  for (const std::vector<size_t>& rows : groups_of(inputs_of(table))) {
    const bool clustered = std::none_of(
        rows.begin(), rows.end(), [&](size_t row) { return table.runs[row].cluster.empty(); });
    if (!clustered || !is_grid(table, rows)) continue;
    for (const size_t row : rows) joined.join(table.runs[rows[0]].cluster, table.runs[row].cluster);
    rows_in_grids += static_cast<int>(rows.size());
  }
  if (rows_in_grids == 0) return 0;
  for (Observation& run : table.runs) run.cluster = joined.of(run.cluster);
  return rows_in_grids;
}

}  // namespace bitlaw
