#include "compare/compare_statistics.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>

namespace bitlaw {

double corrected_information(double sse, double points, double k) {
  if (points <= k + 1) return std::numeric_limits<double>::quiet_NaN();
  return points * std::log(sse / points) + 2 * k + 2 * k * (k + 1) / (points - k - 1);
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
