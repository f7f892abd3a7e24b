// Refits of one stage to many draws of a large table: Newton's method with shared derivatives.
//
// A draw weights the rows of a table whose minimum x0 is known. With many rows its own minimum lies
// near x0, so that the derivatives there serve all draws:
//
//   g_w(x) = J0' (w psi(r(x))) + M (x - x0),    x <- x - H^-1 g_w(x),
//
// J0, M and H are the Jacobian, the second-order part and the second derivative of the objective at
// x0, without w. M and H come from differences of the gradient over steps as long as those of draws.
// Every step costs the residuals at x, not their derivatives. Each brings the error down by about
// 1 / sqrt(rows), until another would be a three-hundredth of the first. What J0 is wrong by at x
// leaves an error of that order, too. If it counts, a last step takes the gradient from the
// derivatives at x.
//
// It is used if it agrees with the solver's own minima (refit_stage) on a few draws to a fiftieth of
// a standard error, without the last step or with it; a draw that does not converge, or leaves the
// box, goes to the solver.
#pragma once

#include <memory>
#include <vector>

#include "fit/stage.h"

namespace bitlaw {

class Refits {
 public:
  static constexpr size_t kFewest = 4096;  // rows with which derivatives may be shared

  // `values`: the minimum of the stage over `rows`. All must outlive the refits.
  Refits(const StageSetup& setup, const std::vector<Observation>& rows,
         const std::vector<double>& values);

  // As refit_stage with the setup's base replaced: the minimum from `values` with weighted rows.
  StageMinimum refit(const std::vector<double>& base, const std::vector<double>& weights) const;

  bool shares_derivatives() const { return shared_ != nullptr; }

 private:
  // Everything at x0.
  struct Shared {
    Coordinates coordinates;
    StageResiduals rows;
    Vector x, residuals, weights;
    Matrix jacobian, second_order, curvature, inverse;  // M, H, H^-1
  };

  std::unique_ptr<const Shared> shared_at_minimum() const;
  bool agrees_with_solver() const;
  // Not converged if it does not get there in the box.
  StageMinimum by_shared(const std::vector<double>& base, const std::vector<double>& weights) const;

  const StageSetup& setup_;
  const std::vector<Observation>& rows_;
  const std::vector<double>& values_;
  std::unique_ptr<const Shared> shared_;
  bool last_step_ = false;
};

}  // namespace bitlaw
