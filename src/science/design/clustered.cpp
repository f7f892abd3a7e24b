#include "design/clustered.h"

#include <algorithm>
#include <map>

#include "fit/sandwich.h"

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

Matrix clustered_information(const Matrix& jacobian, const std::vector<int>& cluster, double rho) {
  const Matrix h = jacobian.transpose() * jacobian;
  if (rho == 0 || jacobian.rows() == 0) return h;
  std::map<int, Vector> sums;
  for (long i = 0; i < jacobian.rows(); ++i) {
    const auto at = sums.try_emplace(cluster[static_cast<size_t>(i)], Vector::Zero(h.rows())).first;
    at->second += jacobian.row(i).transpose();
  }
  Matrix s = (1 - rho) * h;
  for (const auto& [unused, sum] : sums) s += rho * sum * sum.transpose();
  return h * stable_inverse(s) * h;
}

}  // namespace bitlaw
