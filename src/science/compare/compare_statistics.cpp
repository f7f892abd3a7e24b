#include "compare/compare_statistics.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <numbers>

#include "base/search.h"

namespace bitlaw {

namespace {

// log(Z(k) / sqrt(2 pi)) of the density exp(-rho_k) / Z(k).
double log_normaliser(double k) {
  const double middle = std::erf(k / std::numbers::sqrt2);  // of a unit normal within k
  const double tails = 2 * std::exp(-k * k / 2) / k / std::sqrt(2 * std::numbers::pi);
  return std::log(middle + tails);
}

double misfit_at(const std::vector<double>& residuals, double threshold, double scale) {
  const double k = threshold / scale;
  double sum = 0;
  for (const double residual : residuals) {
    const double z = std::fabs(residual) / scale;
    sum += z < k ? z * z / 2 : k * z - k * k / 2;
  }
  return 2 * std::log(scale) + 2 * log_normaliser(k) +
         2 * sum / static_cast<double>(residuals.size()) - 1;
}

}  // namespace

double misfit(const std::vector<double>& residuals, double threshold) {
  double mean_square = 0, mean = 0;
  for (const double residual : residuals) {
    mean_square += residual * residual / static_cast<double>(residuals.size());
    mean += std::fabs(residual) / static_cast<double>(residuals.size());
  }
  if (std::isinf(threshold) || !(mean_square > 0)) return std::log(mean_square);
  // s^2 lies between the mean square and, for a threshold near zero (Laplace's density), t times the
  // mean of |r|.
  const double largest = std::log(mean_square) / 2;
  const double least = std::min(largest, std::log(threshold * mean) / 2);
  return minimise([&](double log_s) { return misfit_at(residuals, threshold, std::exp(log_s)); },
                  least - 1, largest + 1)
      .value;
}

double corrected_information(double misfit, double rows, double k) {
  if (rows <= k + 1) return std::numeric_limits<double>::quiet_NaN();
  return rows * misfit + 2 * k + 2 * k * (k + 1) / (rows - k - 1);
}

MeanSquare mean_square(const std::vector<double>& squares, const std::vector<int>& cluster) {
  struct Sum {
    double squares = 0;
    int rows = 0;
  };
  std::map<int, Sum> sums;
  MeanSquare out;
  for (size_t i = 0; i < cluster.size(); ++i) {
    if (std::isnan(squares[i])) continue;
    sums[cluster[i]].squares += squares[i];
    ++sums[cluster[i]].rows;
    out.mean += squares[i];
    ++out.rows;
  }
  out.clusters = static_cast<int>(sums.size());
  if (out.rows == 0) return out;
  out.mean /= out.rows;
  double spread = 0;
  for (const auto& [c, sum] : sums) spread += std::pow(sum.squares - out.mean * sum.rows, 2);
  const double count = out.clusters;
  out.standard_error = out.clusters > 1 ? std::sqrt(spread * count / (count - 1)) / out.rows
                                        : std::numeric_limits<double>::quiet_NaN();
  return out;
}

Difference difference_of(const std::vector<double>& a, const std::vector<double>& b,
                         const std::vector<int>& cluster) {
  constexpr double kRounding = 1e-24;  // of a square; keeps two perfect laws from differing
  struct Sum {
    double a = 0, b = 0;
  };
  std::map<int, Sum> sums;
  Sum all;
  Difference out;
  for (size_t i = 0; i < cluster.size(); ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) continue;
    Sum& sum = sums[cluster[i]];
    sum.a += a[i] + kRounding, sum.b += b[i] + kRounding;
    all.a += a[i] + kRounding, all.b += b[i] + kRounding;
    ++out.rows;
  }
  out.clusters = static_cast<int>(sums.size());
  if (out.rows == 0) return out;
  out.log_ratio = 0.5 * std::log(all.a / all.b);
  double spread = 0;
  for (const auto& [c, sum] : sums) {
    const double without = 0.5 * std::log((all.a - sum.a) / (all.b - sum.b));
    spread += std::pow(without - out.log_ratio, 2);
  }
  const double count = out.clusters;
  out.standard_error = out.clusters > 1 ? std::sqrt(spread * (count - 1) / count)
                                        : std::numeric_limits<double>::quiet_NaN();
  return out;
}

double allowed_errors(int clusters) {
  // 97.5 % points of Student's distribution for 1, 2, ... degrees of freedom.
  constexpr double kStudent[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365,
                                 2.306,  2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
                                 2.131,  2.120, 2.110, 2.101, 2.093, 2.086};
  const int freedom = clusters - 1;
  if (freedom < 1) return std::numeric_limits<double>::infinity();
  if (freedom <= static_cast<int>(std::size(kStudent))) return kStudent[freedom - 1];
  return std::max(2.0, 1.96 + 2.4 / freedom);  // within 0.01 of it
}

bool is_tie(const Difference& difference) {
  if (difference.clusters < 2) return true;
  constexpr double kNothing = 5e-5;
  return difference.log_ratio <=
         allowed_errors(difference.clusters) * difference.standard_error + kNothing;
}

}  // namespace bitlaw
