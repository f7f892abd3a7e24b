// The statistics that laws are compared by.
#pragma once

#include <vector>

namespace bitlaw {

// Akaike's criterion for least squares, with the correction for few rows (Hurvich and Tsai 1989):
//
//   AICc = n log(SSE / n) + 2 k + 2 k (k + 1) / (n - k - 1)
//
// k: free constants. NaN where n <= k + 1.
double corrected_information(double sse, double points, double k);

// The mean over rows of a - b, two laws' squared errors on the same rows, and its standard error.
// Rows of a cluster err together, so the standard error comes from sums by cluster:
//
//   se^2 = C / (C - 1) sum_c (d_c - n_c d / n)^2 / n^2
struct Difference {
  double mean = 0, standard_error = 0;  // the error is NaN where there is one cluster
  int rows = 0, clusters = 0;
};
// cluster: numbered from 0. Rows where a or b is NaN do not count.
Difference mean_difference(const std::vector<double>& a, const std::vector<double>& b,
                           const std::vector<int>& cluster);

// How many standard errors a difference may have and still be chance: two, and more where few
// clusters tell the standard error (Student's 97.5 % point for one less than there are clusters).
// Infinite for one cluster.
double allowed_errors(int clusters);

// The mean of squares, of which `difference` is one law's from the best, is `best`. Laws that
// coincide on the rows differ by a solver's last digits, which is nothing either.
bool is_tie(const Difference& difference, double best);

}  // namespace bitlaw
