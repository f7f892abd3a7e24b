// Places in a sample.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace bitlaw {

// The value below which `share` of a sorted sample lies, between neighbours by linear interpolation:
// 0 is the least, 1 the most. Not empty.
inline double percentile(std::span<const double> sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(place), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

// The middle of a sample, the mean of the two middles of an even one. Not empty.
inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return percentile(values, 0.5);
}

// The middle of a sample, the upper of the two middles of an even one: a value that was measured. Not
// empty.
inline double upper_median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace bitlaw
