// H = R R^T with R upper triangular, for GPTQ (ptq/gptq.h has the algorithm).
#pragma once

#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "linalg/matrix.h"

namespace bitlaw {

// What GPTQ needs of a Hessian, for any format and group: computed once, shared by all cells.
// Indices are in the order in which columns are rounded.
struct HessianFactor {
  // [in, in] S_ik = R_ik / R_kk above the diagonal, ones on it, zeros below.
  linalg::Matrix feedback;
  std::vector<int64_t> order;           // [in] k-th column to be rounded; empty: from left to right
  double damping = 0;                   // added to the diagonal, in units of its mean live entry
  std::vector<double> failed_dampings;  // dampings that failed before, in order
  int64_t dead_columns = 0;             // inputs that were zero on the whole calibration text
};

// Factors H [in, in] (symmetric, positive semidefinite) with rows and columns in `order` (empty: as
// they are). Damping starts at `first_damping` and is multiplied by ten after every failure. A dead
// column (H_kk = 0) is separated from the others: its weights are rounded to nearest without
// feedback, because the calibration contains no information about them. Error if H is not finite,
// or if no damping up to 1000 succeeds.
HessianFactor factor_hessian(const linalg::Matrix& hessian, double first_damping, ThreadPool& pool,
                             std::vector<int64_t> order = {});

// Act-order: columns in descending order of H's diagonal, equal ones from left to right. The most
// important inputs are rounded first, while all other columns can still compensate.
std::vector<int64_t> activation_order(const linalg::Matrix& hessian);

}  // namespace bitlaw
