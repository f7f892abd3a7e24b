#include "fit/holdout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "fit/bootstrap.h"
#include "fit/identify.h"
#include "fit/multistart.h"
#include "fit/residuals.h"
#include "laws/bind.h"

namespace bitlaw {
namespace {

// Does the row's prediction rest on one of these constants of classes?
bool is_of(const std::vector<int>& positions, const Law& law, const Observation& row) {
  if (positions.empty()) return false;
  for (size_t k = 0; k < law.class_parameters.size(); ++k) {
    const int position = class_position(law, static_cast<int>(k), row);
    if (std::count(positions.begin(), positions.end(), position) > 0) return true;
  }
  return false;
}

// Positions of the constants of classes that no row is of.
std::vector<int> classes_without(const Law& law, const std::vector<Observation>& rows) {
  std::vector<int> out;
  const std::vector<std::vector<int>> classes = class_positions(law, rows);
  for (const BoundClass& each : law.classes) {
    const std::vector<int>& of_rows = classes[static_cast<size_t>(each.parameter)];
    const bool present = std::find(of_rows.begin(), of_rows.end(), each.position) != of_rows.end();
    if (!present) out.push_back(each.position);
  }
  return out;
}

// The residual of a delta as the fit sees it (fit/residuals.h).
double in_standard_errors(double predicted, const Observation& row, const DeltaScale& scale) {
  return scale.logarithmic ? std::log(predicted / row.delta_nats) * row.delta_nats / scale.error
                           : (predicted - row.delta_nats) / scale.error;
}

}  // namespace

Unseen predict_unseen(const StageSetup& setup, const std::vector<Observation>& rows,
                      const std::vector<std::vector<bool>>& masks,
                      const std::vector<std::vector<double>>& hints,
                      const ParallelFor& parallel_for) {
  const Law& law = *setup.law;
  const Stage stage = setup.settings.stage;
  Unseen out;
  out.logs.assign(rows.size(), kUnknown);
  std::vector<DeltaScale> scales;  // of all rows, so that every fit is judged by the same errors
  if (is_of_differences(law, stage)) {
    scales = delta_scales(law, rows, setup.settings.floor);
    out.errors.assign(rows.size(), kUnknown);
  }
  for (const std::vector<bool>& mask : masks) {
    std::vector<Observation> seen, unseen;
    for (size_t i = 0; i < rows.size(); ++i) (mask[i] ? unseen : seen).push_back(rows[i]);
    StageSetup rest = setup;
    for (const Frozen& frozen : unidentifiable(law, stage, seen)) {
      std::erase(rest.free, frozen.parameter);
    }
    const std::vector<int> unseen_classes = classes_without(law, seen);
    for (const BoundClass& each : law.classes) {
      if (std::count(unseen_classes.begin(), unseen_classes.end(), each.position) == 0) continue;
      out.missing = fmt::format("class {} occurs only in the held-out rows", each.name);
    }
    if (seen.size() <= rest.free.size()) {
      out.missing =
          fmt::format("{} rows are left to fit {} constants", seen.size(), rest.free.size());
      continue;
    }
    const StageMinimum fitted = fit_adaptively(rest, seen, hints, parallel_for).best;
    const std::vector<double> logs = log_residuals(law, stage, fitted.values, unseen);
    size_t next = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!mask[i]) continue;
      const double log_residual = logs[next++];
      if (is_of(unseen_classes, law, rows[i])) continue;
      out.logs[i] = log_residual;
      if (scales.empty()) continue;
      const double predicted = stage == Stage::kPost
                                   ? predict_delta(law, fitted.values.data(), rows[i])
                                   : predict(law, fitted.values.data(), rows[i]);
      out.errors[i] = in_standard_errors(predicted, rows[i], scales[i]);
    }
  }
  return out;
}

HeldOut summarise(const std::string& split, const std::vector<Observation>& rows,
                  const Unseen& unseen) {
  HeldOut out;
  out.split = split;
  const std::vector<int> cluster = number_clusters(rows);
  std::map<int, double> sum_of;  // squares by cluster
  std::map<int, int> count_of;
  double sum = 0, sum_of_errors = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!unseen.errors.empty() && std::isfinite(unseen.errors[i])) {
      sum_of_errors += unseen.errors[i] * unseen.errors[i];
      ++out.all_points;
    }
    if (std::isnan(unseen.logs[i])) continue;
    const double square = unseen.logs[i] * unseen.logs[i];
    sum += square;
    sum_of[cluster[i]] += square;
    ++count_of[cluster[i]];
    ++out.points;
  }
  out.unclear = std::max(0, out.all_points - out.points);
  out.fitted = static_cast<int>(rows.size()) - out.points - out.unclear;
  if (out.all_points > 0) out.rms_errors = std::sqrt(sum_of_errors / out.all_points);
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
