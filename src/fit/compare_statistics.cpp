#include "fit/compare_statistics.h"

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

Difference mean_difference(const std::vector<double>& a, const std::vector<double>& b,
                           const std::vector<int>& cluster) {
  struct Sum {
    double difference = 0;
    int rows = 0;
  };
  std::map<int, Sum> sums;
  Difference out;
  for (size_t i = 0; i < cluster.size(); ++i) {
    const double d = a[i] - b[i];
    if (std::isnan(d)) continue;
    sums[cluster[i]].difference += d;
    ++sums[cluster[i]].rows;
    out.mean += d;
    ++out.rows;
  }
  out.clusters = static_cast<int>(sums.size());
  if (out.rows == 0) return out;
  out.mean /= out.rows;
  double spread = 0;
  for (const auto& [c, sum] : sums) {
    spread += std::pow(sum.difference - out.mean * sum.rows, 2);
  }
  const double count = out.clusters;
  out.standard_error = out.clusters > 1 ? std::sqrt(spread * count / (count - 1)) / out.rows
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

bool is_tie(const Difference& difference, double best) {
  if (difference.clusters < 2) return true;
  constexpr double kNothing = 1e-4;
  return difference.mean <=
         allowed_errors(difference.clusters) * difference.standard_error + kNothing * best;
}

}  // namespace bitlaw
