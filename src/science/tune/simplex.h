// Nelder and Mead's simplex search (The Computer Journal 7, 1965), for few parameters and functions
// without derivatives.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace bitlaw {

struct SimplexFound {
  std::vector<double> x;
  double value = 0;
};

// From `start`, with first steps of `step` in each coordinate, until values differ by less than
// `tolerance` or f was called `most` times. Infinite values are allowed, but not at the start.
template <class F>
SimplexFound minimise_simplex(const F& f, std::vector<double> start,
                              const std::vector<double>& step, double tolerance = 1e-9,
                              int most = 600) {
  const size_t d = start.size();
  std::vector<std::pair<double, std::vector<double>>> corners;
  corners.emplace_back(f(start), start);
  for (size_t k = 0; k < d; ++k) {
    std::vector<double> corner = start;
    corner[k] += step[k];
    corners.emplace_back(f(corner), corner);
  }
  int calls = static_cast<int>(d) + 1;
  const auto by_value = [](const auto& a, const auto& b) { return a.first < b.first; };
  while (calls < most) {
    std::sort(corners.begin(), corners.end(), by_value);
    if (std::fabs(corners.back().first - corners.front().first) < tolerance) break;
    std::vector<double> middle(d, 0);  // of all but the worst
    for (size_t c = 0; c < d; ++c) {
      for (size_t k = 0; k < d; ++k) middle[k] += corners[c].second[k] / static_cast<double>(d);
    }
    // At middle + t (middle - worst).
    const auto along = [&](double t) {
      std::vector<double> x(d);
      for (size_t k = 0; k < d; ++k) x[k] = middle[k] + t * (middle[k] - corners[d].second[k]);
      ++calls;
      const double value = f(x);
      return std::pair(value, std::move(x));
    };
    auto reflected = along(1);
    if (reflected.first < corners.front().first) {
      auto expanded = along(2);
      corners[d] = std::min(reflected, expanded, by_value);
      continue;
    }
    if (reflected.first < corners[d - 1].first) {
      corners[d] = std::move(reflected);
      continue;
    }
    auto contracted = along(reflected.first < corners[d].first ? 0.5 : -0.5);
    if (contracted.first < std::min(reflected.first, corners[d].first)) {
      corners[d] = std::move(contracted);
      continue;
    }
    for (size_t c = 1; c <= d; ++c) {
      for (size_t k = 0; k < d; ++k)
        corners[c].second[k] = (corners[0].second[k] + corners[c].second[k]) / 2;
      corners[c].first = f(corners[c].second);
      ++calls;
    }
  }
  std::sort(corners.begin(), corners.end(), by_value);
  return {corners[0].second, corners[0].first};
}

}  // namespace bitlaw
