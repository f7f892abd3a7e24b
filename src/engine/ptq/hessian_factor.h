// H = R R^T with R upper triangular, for GPTQ (ptq/gptq.h has the algorithm).
#pragma once

#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "linalg/matrix.h"

namespace bitlaw {

// What GPTQ needs of a Hessian, whatever the format and group: made once, shared by every cell.
// Indices are those of the order that the columns are rounded in.
struct HessianFactor {
  linalg::Matrix
      feedback;  // [in, in] S_ik = R_ik / R_kk above the diagonal, ones on it, zeros below
  std::vector<int64_t> order;  // [in] the column that is rounded k-th; empty: from left to right
  double damping = 0;          // times the mean live diagonal entry was added to the diagonal
  std::vector<double> failed_dampings;  // the rungs of the ladder tried before, in order
  int64_t dead_columns = 0;             // inputs that were zero on all of the calibration text
};

// Factors H [in, in] (symmetric, positive semidefinite), its rows and columns taken in `order`
// (empty: as they are). Starts at `first_damping` and takes ten times as much after every failure. A
// dead column (H_kk = 0) is cut off from the others: its weights are rounded to nearest and neither
// give nor take feedback, because the calibration says nothing about them. Throws Error where H is
// not finite or no rung up to 1000 succeeds.
HessianFactor factor_hessian(const linalg::Matrix& hessian, double first_damping, ThreadPool& pool,
                             std::vector<int64_t> order = {});

// Act-order: columns in descending order of H's diagonal, equal ones from left to right. The inputs
// that matter most are rounded first, while every other column can still make up for them.
std::vector<int64_t> activation_order(const linalg::Matrix& hessian);

}  // namespace bitlaw
