// Robust nonlinear least squares in a box:
//
//   minimise over x    sum_i w_i rho(r_i(x)),     rho(r) = r^2 / 2              where |r| <= delta
//                                                 rho(r) = delta (|r| - delta/2)  beyond (Huber)
//
// Two phases. First Levenberg and Marquardt's damped Gauss-Newton steps, each row weighted by
// rho'(r)/r: it goes downhill from anywhere, but with many rows beyond delta, where rho is
// straight, only slowly near the end. Then damped Newton steps with the true Hessian, taken as
// central differences of the exact gradient, which converge quadratically to all digits; a mean
// loss and a loose tolerance instead are how published constants went wrong (arXiv 2404.10102).
#pragma once

#include <Eigen/Core>
#include <functional>
#include <limits>

namespace bitlaw {

using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;  // by column

struct ResidualProblem {
  int rows = 0;
  // Fills r (rows) and, unless null, the Jacobian (rows x columns, d r_i / d x_j). False, or a
  // value that is not finite, where x makes no sense.
  std::function<bool(const Vector& x, Vector& r, Matrix* jacobian)> evaluate;
  Vector low, high;  // the box, one entry per column; may be infinite
  double huber = std::numeric_limits<double>::infinity();  // delta; infinite = plain squares
  Vector weights;  // w, a count or importance per row; empty = 1
};

struct SolverOptions {
  int gauss_newton_steps = 100;
  int newton_steps = 50;
  double tolerance =
      1e-14;  // stop when the objective can fall by no more than this share of itself
};

struct Minimum {
  Vector x;
  double objective = std::numeric_limits<double>::infinity();
  bool converged = false;
};

// The minimum downhill of `start`, which is moved into the box first.
Minimum minimise_residuals(const ResidualProblem& problem, Vector start,
                           const SolverOptions& options);

// The second phase alone, from a point already near a minimum.
Minimum polish(const ResidualProblem& problem, Vector start, const SolverOptions& options);

}  // namespace bitlaw
