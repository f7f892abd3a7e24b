#include "fit/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/random.h"
#include "base/statistics.h"
#include "solve/quantile.h"

namespace bitlaw {

std::vector<int> number_clusters(const std::vector<Observation>& rows) {
  std::map<std::string, int> known;
  std::vector<int> out;
  int next = 0;
  for (const Observation& row : rows) {
    if (row.cluster.empty()) {
      out.push_back(next++);
      continue;
    }
    const auto [entry, is_new] = known.emplace(row.cluster, next);
    if (is_new) ++next;
    out.push_back(entry->second);
  }
  return out;
}

std::vector<double> draw_clusters(int clusters, uint64_t seed, int64_t draw, int attempt) {
  std::vector<double> counts(clusters, 0);
  const uint64_t stream = 1 + static_cast<uint64_t>(draw) + (static_cast<uint64_t>(attempt) << 40);
  for (int i = 0; i < clusters; ++i) {
    counts[random_below(seed, stream, static_cast<uint64_t>(i), static_cast<uint64_t>(clusters))] +=
        1;
  }
  return counts;
}

std::vector<double> draw_fractions(int clusters, uint64_t seed, int64_t draw) {
  std::vector<double> out(static_cast<size_t>(clusters));
  double sum = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const double share = random_uniform(seed, 1 + static_cast<uint64_t>(draw), i);
    sum += out[i] = -std::log1p(-share);
  }
  for (double& weight : out) weight *= clusters / sum;
  return out;
}

Interval percentile_interval(std::vector<double> sample, double level) {
  std::erase_if(sample, [](double value) { return !std::isfinite(value); });
  if (sample.size() < 2) return {};
  std::sort(sample.begin(), sample.end());
  return {percentile(sample, (1 - level) / 2), percentile(sample, (1 + level) / 2)};
}

}  // namespace bitlaw
