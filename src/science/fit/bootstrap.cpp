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

Interval percentile_interval(std::vector<double> sample, double level) {
  std::erase_if(sample, [](double value) { return !std::isfinite(value); });
  if (sample.size() < 2) return {};
  std::sort(sample.begin(), sample.end());
  return {percentile(sample, (1 - level) / 2), percentile(sample, (1 + level) / 2)};
}

double expanded_level(double level, int clusters) {
  if (clusters < 2) return level;
  const double n = clusters;
  const double reach = std::sqrt(n / (n - 1)) * t_quantile(0.5 + 0.5 * level, n - 1);
  return 1 - 2 * normal_share(-reach);
}

}  // namespace bitlaw
