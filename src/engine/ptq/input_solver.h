// The statistics of an input, shared by all weight matrices that have it, and what methods derive
// from them, each computed once at its first use. Memory: 8 in^2 bytes for H, and as much for the
// rotated H and for every factor.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "ptq/hessian_factor.h"
#include "ptq/statistics.h"

namespace bitlaw {

class InputSolver {
 public:
  InputSolver(InputStatistics statistics, ThreadPool& pool);  // keeps a reference to `pool`

  const InputStatistics& statistics() const { return statistics_; }
  int64_t columns() const { return statistics_.columns(); }
  int64_t dead_columns() const { return dead_columns_; }

  // H, or R^T H R in the rotated basis (ptq/rotation.h).
  const linalg::Matrix& hessian(bool rotated);
  // [columns] mean |x_c|. In the rotated basis, where x is nearly normal, its root mean square,
  // which differs by a constant factor that cancels in AWQ's scales.
  const std::vector<float>& magnitude(bool rotated);
  const HessianFactor& factor(bool act_order, bool rotated, double first_damping);

 private:
  InputStatistics statistics_;
  ThreadPool* pool_;
  int64_t dead_columns_;
  linalg::Matrix rotated_hessian_;
  std::vector<float> rotated_magnitude_;
  std::map<std::tuple<bool, bool, double>, HessianFactor> factors_;
};

}  // namespace bitlaw
