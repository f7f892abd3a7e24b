#include "ptq/input_solver.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ptq/rotation.h"

namespace bitlaw {

InputSolver::InputSolver(InputStatistics statistics, ThreadPool& pool)
    : statistics_(std::move(statistics)), pool_(&pool), dead_columns_(statistics_.dead_columns()) {
  BITLAW_CHECK(statistics_.hessian.rows() == columns() &&
               static_cast<int64_t>(statistics_.mean_magnitude.size()) == columns());
}

const linalg::Matrix& InputSolver::hessian(bool rotated) {
  if (!rotated) return statistics_.hessian;
  if (rotated_hessian_.rows() == 0)
    rotated_hessian_ = rotate_hessian(statistics_.hessian, rotation_width(columns()), *pool_);
  return rotated_hessian_;
}

const std::vector<float>& InputSolver::magnitude(bool rotated) {
  if (!rotated) return statistics_.mean_magnitude;
  const linalg::Matrix& H = hessian(true);
  if (rotated_magnitude_.empty()) {
    for (int64_t c = 0; c < columns(); ++c)
      rotated_magnitude_.push_back(static_cast<float>(std::sqrt(std::max(0.0, H(c, c) / 2))));
  }
  return rotated_magnitude_;
}

const HessianFactor& InputSolver::factor(bool act_order, bool rotated, double first_damping) {
  const auto key = std::tuple(act_order, rotated, first_damping);
  const auto known = factors_.find(key);
  if (known != factors_.end()) return known->second;
  const linalg::Matrix& H = hessian(rotated);
  return factors_
      .emplace(key, factor_hessian(H, first_damping, *pool_,
                                   act_order ? activation_order(H) : std::vector<int64_t>()))
      .first->second;
}

}  // namespace bitlaw
