#include "fit/holdout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/random.h"
#include "fit/bootstrap.h"
#include "fit/identify.h"
#include "laws/bind.h"

namespace bitlaw {
namespace {

// Does the row's prediction rest on one of these constants of classes?
bool is_of(const std::vector<int>& positions, const Law& law, const Observation& row) {
  for (size_t k = 0; k < law.class_parameters.size(); ++k) {
    const int position = class_position(law, static_cast<int>(k), row);
    if (std::count(positions.begin(), positions.end(), position) > 0) return true;
  }
  return false;
}

}  // namespace

std::vector<std::vector<bool>> hold_out_masks(const std::vector<Observation>& rows,
                                              const std::string& split, int folds, uint64_t seed) {
  std::vector<std::vector<bool>> masks;
  if (split == "kfold") {
    const std::vector<int> cluster = number_clusters(rows);
    const int clusters = rows.empty() ? 0 : 1 + *std::max_element(cluster.begin(), cluster.end());
    if (clusters < 2) return {};
    // Clusters in random order are dealt out in turn.
    std::vector<std::pair<double, int>> order;
    for (int c = 0; c < clusters; ++c) order.emplace_back(random_uniform(seed, 1u << 30, c), c);
    std::sort(order.begin(), order.end());
    std::vector<int> fold_of(clusters);
    for (int i = 0; i < clusters; ++i) fold_of[order[i].second] = i % folds;
    for (int fold = 0; fold < std::min(folds, clusters); ++fold) {
      masks.emplace_back(rows.size());
      for (size_t i = 0; i < rows.size(); ++i) masks.back()[i] = fold_of[cluster[i]] == fold;
    }
    return masks;
  }
  const auto size = [&](const Observation& row) {
    return split == "largest-N" ? row.params : row.tokens;
  };
  double largest = 0, least = std::numeric_limits<double>::infinity();
  for (const Observation& row : rows) {
    largest = std::max(largest, size(row));
    least = std::min(least, size(row));
  }
  if (!(least < largest)) return {};
  masks.emplace_back(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) masks.back()[i] = size(rows[i]) == largest;
  return masks;
}

std::vector<double> held_out_squares(const StageSetup& setup, const std::vector<Observation>& rows,
                                     const std::vector<std::vector<bool>>& masks,
                                     const ParallelFor& parallel_for) {
  std::vector<double> squares(rows.size(), kUnknown);
  for (const std::vector<bool>& mask : masks) {
    std::vector<Observation> seen, unseen;
    for (size_t i = 0; i < rows.size(); ++i) (mask[i] ? unseen : seen).push_back(rows[i]);
    StageSetup rest = setup;
    std::vector<int> unseen_classes;  // positions of their constants
    for (const Frozen& frozen : unidentifiable(*setup.law, setup.settings.stage, seen)) {
      std::erase(rest.free, frozen.parameter);
      const bool of_class =
          std::any_of(setup.law->classes.begin(), setup.law->classes.end(),
                      [&](const BoundClass& each) { return each.position == frozen.parameter; });
      if (of_class) unseen_classes.push_back(frozen.parameter);
    }
    if (seen.size() <= rest.free.size()) continue;
    const StageMinimum fitted = fit_stage(rest, seen, parallel_for);
    const std::vector<double> residuals =
        log_residuals(*setup.law, setup.settings.stage, fitted.values, unseen);
    size_t next = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!mask[i]) continue;
      const double residual = residuals[next++];
      if (!is_of(unseen_classes, *setup.law, rows[i])) squares[i] = residual * residual;
    }
  }
  return squares;
}

HeldOut summarise(const std::string& split, const std::vector<Observation>& rows,
                  const std::vector<double>& squares) {
  HeldOut out;
  out.split = split;
  const std::vector<int> cluster = number_clusters(rows);
  std::map<int, double> sum_of;  // squares by cluster
  std::map<int, int> count_of;
  double sum = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (std::isnan(squares[i])) continue;
    sum += squares[i];
    sum_of[cluster[i]] += squares[i];
    ++count_of[cluster[i]];
    ++out.points;
  }
  out.fitted = static_cast<int>(rows.size()) - out.points;
  if (out.points == 0) return out;
  const double mean = sum / out.points;
  out.rms_log = std::sqrt(mean);
  const double clusters = static_cast<double>(sum_of.size());
  if (clusters < 2) return out;
  double spread = 0;  // of cluster sums around what their row counts would give
  for (const auto& [c, total] : sum_of) spread += std::pow(total - mean * count_of[c], 2);
  const double error_of_mean = std::sqrt(spread * clusters / (clusters - 1)) / out.points;
  out.standard_error = error_of_mean / (2 * out.rms_log);  // of a root, to first order
  return out;
}

}  // namespace bitlaw
