// The sums over rows for a mostly zero Jacobian: a law with a constant per precision class has many
// columns, and a row depends only on those of its own class.
#pragma once

#include <vector>

#include "solve/solver_kernel.h"

namespace bitlaw {

class SparseRows {
 public:
  // J: column-major, entry (i, j) at jacobian[j * stride + i]. Keeps the nonzero entries, by rows.
  // Returns false, and keeps nothing, if they are more than a third.
  // Quicker if the same entries were nonzero the last time.
  bool build(long rows, const double* jacobian, long stride, int columns);

  // The columns in an order in which a factor of the normal equations stays nearly as sparse: those
  // of few rows first, those of the same rows together.
  std::vector<int> order() const;

  // As SolverKernel::normal_equations.
  double normal_equations(const RowTerms& terms, const double* r, double outside, double* gradient,
                          double* hessian) const;

 private:
  bool refill(long rows, const double* jacobian, long stride, int columns);

  int columns_ = 0;
  std::vector<long> first_;  // of each row, and the end
  std::vector<long> next_;   // while it is built
  std::vector<int> column_;
  std::vector<double> value_;
};

}  // namespace bitlaw
