#include "fit/alike_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "fit/bootstrap.h"
#include "solve/quantile.h"

namespace bitlaw {
namespace {

constexpr size_t kFewestAlike = 3;  // rows of a group

}  // namespace

AlikeRows alike_rows(const std::vector<Observation>& rows, const std::vector<double>& residuals) {
  constexpr int kFewestGroups = 4;
  using Key = std::tuple<double, double, double, double, std::string>;
  std::map<Key, std::vector<double>> groups;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Observation& row = rows[i];
    if (std::isfinite(residuals[i])) {
      groups[{row.params, row.bits_weights, row.bits_activations, row.bits_kv, row.precision}]
          .push_back(residuals[i]);
    }
  }
  std::erase_if(groups, [](const auto& group) { return group.second.size() < kFewestAlike; });
  AlikeRows out;
  double sum = 0;
  for (const auto& [key, group] : groups) {
    ++out.groups, out.rows += static_cast<int>(group.size());
    for (const double residual : group) sum += residual;
  }
  if (out.groups < kFewestGroups) return out;
  const double middle = sum / out.rows;
  double between = 0, within = 0;
  for (const auto& [key, group] : groups) {
    double mean = 0;
    for (const double residual : group) mean += residual / static_cast<double>(group.size());
    between += static_cast<double>(group.size()) * (mean - middle) * (mean - middle);
    for (const double residual : group) within += (residual - mean) * (residual - mean);
  }
  const int freedom = out.groups - 1, rest = out.rows - out.groups;
  if (!(within > 0)) return out;
  out.f = between / freedom / (within / rest);
  out.p = f_share_above(out.f, freedom, rest);
  return out;
}

std::string alike_rows_note(const std::vector<Observation>& rows,
                            const std::vector<double>& residuals) {
  constexpr double kNearlyAll = 0.9;
  const AlikeRows found = alike_rows(rows, residuals);
  if (!found.is_clear()) return "";
  const std::vector<int> cluster = number_clusters(rows);
  const int clusters = 1 + *std::max_element(cluster.begin(), cluster.end());
  if (clusters < kNearlyAll * static_cast<double>(rows.size())) return "";
  return fmt::format(
      "Rows of one N and precision err alike ({} groups, F = {:.3g}, p = {:.1g}), though each "
      "counts "
      "as a run of its own: if they are points of one run, or if the law misses how the loss "
      "depends "
      "on N, the intervals are too narrow; --cluster N resamples them together.",
      found.groups, found.f, found.p);
}

}  // namespace bitlaw
