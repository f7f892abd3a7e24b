// The statistics for comparing laws.
#pragma once

#include <vector>

namespace bitlaw {

// What residuals r_i say against a law: -2 log L / n at the likeliest scale s, less that of a unit
// normal, for the density that Huber's objective is the likelihood of (Huber 1964):
//
//   -2 log L / n = min over s of   2 log s + 2 log(Z(t / s) / sqrt(2 pi)) + 2 mean rho_{t/s}(r / s) - 1
//   rho_k(z) = z^2 / 2 if |z| < k, k |z| - k^2 / 2 beyond;     Z(k) = integral of exp(-rho_k)
//
// t: Huber's threshold. If it is infinite, this is log(SSE / n); near zero, it is Laplace's.
double misfit(const std::vector<double>& residuals, double threshold);

// Akaike's criterion, with the correction for few rows (Hurvich and Tsai 1989):
//
//   AICc = n misfit + 2 k + 2 k (k + 1) / (n - k - 1)
//
// n: rows, or as many independent ones as they count for. k: free constants. NaN if n <= k + 1.
double corrected_information(double misfit, double rows, double k);

// The mean of a law's squared errors, and its standard error. Errors in a cluster are correlated,
// so it is computed from sums by cluster:
//
//   se^2 = C / (C - 1) sum_c (s_c - n_c s / n)^2 / n^2
struct MeanSquare {
  double mean = 0, standard_error = 0;  // the error is NaN for one cluster
  int rows = 0, clusters = 0;
};
// cluster: numbered from 0. Rows with a NaN square do not count.
MeanSquare mean_square(const std::vector<double>& squares, const std::vector<int>& cluster);

// The log ratio of the root mean squares of two laws on the same rows. A ratio, because larger
// errors also vary more.
//
//   difference = log(A / B) / 2,     se^2 = (C - 1) / C sum_c (difference without c - difference)^2
//
// with A and B their sums of squares. The standard error is a jackknife over clusters: if one
// cluster dominates the sum, leaving it out shows that (a linearisation would not).
struct Difference {
  double log_ratio = 0, standard_error = 0;  // the error is NaN for one cluster
  int rows = 0, clusters = 0;
};
Difference difference_of(const std::vector<double>& a, const std::vector<double>& b,
                         const std::vector<int>& cluster);

// Largest difference, in standard errors, that counts as chance: two, or more with few clusters
// (Student's 97.5 % quantile with one degree of freedom less than clusters). Infinite for one
// cluster.
double allowed_errors(int clusters);

// Whether a law is tied with the best. Laws that coincide on the rows differ only in the solver's
// last digits and are tied too.
bool is_tie(const Difference& difference);

}  // namespace bitlaw
