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

// The mean of a law's squared errors, and its standard error. Rows of a cluster err together, so it
// comes from sums by cluster:
//
//   se^2 = C / (C - 1) sum_c (s_c - n_c s / n)^2 / n^2
struct MeanSquare {
  double mean = 0, standard_error = 0;  // the error is NaN where there is one cluster
  int rows = 0, clusters = 0;
};
// cluster: numbered from 0. Rows where the square is NaN do not count.
MeanSquare mean_square(const std::vector<double>& squares, const std::vector<int>& cluster);

// By how much the root mean square of one law is above that of another on the same rows, as a
// logarithm: errors that differ in size differ in spread as well, and a ratio allows for that.
//
//   difference = log(A / B) / 2,     se^2 = (C - 1) / C sum_c (difference without c - difference)^2
//
// with A and B their sums of squares. The standard error is the jackknife's, by clusters: where one
// cluster carries the sum, leaving it out shows that (a linearisation would not).
struct Difference {
  double log_ratio = 0, standard_error = 0;  // the error is NaN where there is one cluster
  int rows = 0, clusters = 0;
};
Difference difference_of(const std::vector<double>& a, const std::vector<double>& b,
                         const std::vector<int>& cluster);

// How many standard errors a difference may have and still be chance: two, and more where few
// clusters tell the standard error (Student's 97.5 % point for one less than there are clusters).
// Infinite for one cluster.
double allowed_errors(int clusters);

// Of a law from the best. Laws that coincide on the rows differ by a solver's last digits, which is
// nothing either.
bool is_tie(const Difference& difference);

}  // namespace bitlaw
