// Quantiles and medians of a sample.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace bitlaw {

// Quantile of a sorted sample at `share` in [0, 1], with linear interpolation between neighbours: 0
// is the least, 1 the largest. The sample must not be empty.
inline double percentile(std::span<const double> sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(place), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

// The same of a sample in any order, which it reorders: faster than sorting it.
inline double percentile_of(std::vector<double>& values, double share) {
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = values.begin() + static_cast<ptrdiff_t>(place);
  std::nth_element(values.begin(), below, values.end());
  const auto next = std::min_element(below + 1, values.end());
  const double above = next == values.end() ? *below : *next;
  return *below + (place - std::floor(place)) * (above - *below);
}

// Median; for an even count the mean of the two middle values. The sample must not be empty.
inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return percentile(values, 0.5);
}

// Median; for an even count the upper of the two middle values, so that it is a value of the
// sample. The sample must not be empty.
inline double upper_median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace bitlaw
