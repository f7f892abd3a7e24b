#include "fit/shared_share.h"

#include <algorithm>
#include <map>

namespace bitlaw {

double shared_share(const Vector& residuals, const std::vector<int>& cluster) {
  std::map<int, double> sums, squares;
  std::map<int, int> counts;
  for (long i = 0; i < residuals.size(); ++i) {
    const int of = cluster[static_cast<size_t>(i)];
    sums[of] += residuals[i], squares[of] += residuals[i] * residuals[i], ++counts[of];
  }
  double products = 0, pairs = 0;
  for (const auto& [of, count] : counts) {
    products += (sums[of] * sums[of] - squares[of]) / 2;
    pairs += count * (count - 1) / 2.0;
  }
  const double mean_square = residuals.squaredNorm() / static_cast<double>(residuals.size());
  if (pairs == 0 || !(mean_square > 0)) return 0;
  return std::clamp(products / pairs / mean_square, 0.0, 0.999);
}

double independent_rows(const std::vector<int>& cluster, double rho) {
  std::map<int, int> counts;
  for (const int of : cluster) ++counts[of];
  double sum = 0;
  for (const auto& [of, count] : counts) sum += count / (1 + (count - 1) * rho);
  return sum;
}

}  // namespace bitlaw
