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

// Percentile interval of `level` of a sample, by linear interpolation; NaN values are left out.
struct Interval {
  double low = kUnknown, high = kUnknown;
};
Interval percentile_interval(std::vector<double> sample, double level);

// The level whose percentiles have coverage `level` with only `clusters` clusters: a bootstrap's
// spread is too small by sqrt((n - 1) / n), and ignores Student's t. This is the expanded
// percentile interval of Hesterberg (2015, "What teachers should know about the bootstrap", section
// 4.2).
double expanded_level(double level, int clusters);

}  // namespace bitlaw
