#include "design/clustered.h"

#include <map>

#include "fit/sandwich.h"

namespace bitlaw {

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
