// Bootstrap by cluster. Errors of rows from one training trunk are correlated, so clusters, not
// rows, are drawn with replacement; a draw is a pure function of its number and the seed.
#pragma once

#include <cstdint>
#include <vector>

#include "laws/observation.h"

namespace bitlaw {

// The cluster of every row, numbered from 0; each row with an empty cluster is its own cluster.
std::vector<int> number_clusters(const std::vector<Observation>& rows);

// How often each of `clusters` clusters is drawn when drawing that many with replacement. attempt:
// another draw of the same number.
std::vector<double> draw_clusters(int clusters, uint64_t seed, int64_t draw, int attempt = 0);

// Weights of mean 1 that are exponential instead of whole: no cluster is left out, so that a draw
// identifies what the rows identify (Rubin 1981, "The Bayesian bootstrap"; Xu et al. 2020,
// "Applications of the fractional-random-weight bootstrap").
std::vector<double> draw_fractions(int clusters, uint64_t seed, int64_t draw);

// Percentile interval of `level` of a sample, by linear interpolation; NaN values are left out.
struct Interval {
  double low = kUnknown, high = kUnknown;
};
Interval percentile_interval(std::vector<double> sample, double level);

}  // namespace bitlaw
