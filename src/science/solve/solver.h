// Robust nonlinear least squares in a box:
//
//   minimise over x    sum_i w_i rho(r_i(x)),     rho(r) = r^2 / 2                where |r| <= delta
//                                                 rho(r) = delta (|r| - delta/2)  beyond (Huber)
//
// Every step minimises a model of the objective: the residuals made straight, rho kept as it is,
//
//   m(s) = sum_i w_i rho(r_i + J_i s) + s' B s / 2 + lambda s' D s / 2,     x + s in the box.
//
// With many rows beyond delta the usual reweighted Gauss-Newton step converges slowly, as rho is
// straight there; this one does not, and the model's minimum costs no evaluation of the residuals.
// B stands for what bends in the residuals themselves; it is learnt from the gradients of successive
// points (Dennis, Gay and Welsch 1981, NL2SOL) and used while it predicts better than B = 0. lambda
// keeps the step within a radius that follows from how well the model foretold the objective (More
// 1978). Where a long valley bends, what a trial shows of the bend corrects the step, at no new
// Jacobian (the geodesic acceleration of Transtrum and Sethna 2012, with a whole step for the
// difference).
//
// The end is judged by what the model still promises, which the gradient tells to all digits, where
// differences of the objective would be rounding: a mean loss and a loose tolerance instead are how
// published constants went wrong (arXiv 2404.10102).
#pragma once

#include <Eigen/Core>
#include <functional>
#include <limits>

namespace bitlaw {

using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;  // by column

struct ResidualProblem {
  int rows = 0;
  // Fills r (rows) and, unless null, the Jacobian (rows x columns, d r_i / d x_j). Both have their
  // size already. False, or a value that is not finite, where x makes no sense.
  std::function<bool(const Vector& x, Vector& r, Matrix* jacobian)> evaluate;
  Vector low, high;  // the box, one entry per column; may be infinite
  // What is a step worth the name along each column, where that is known (empty = not): a column that
  // hardly matters at the start is not let loose.
  Vector scale;
  double huber = std::numeric_limits<double>::infinity();  // delta; infinite = plain squares
  Vector thresholds;  // delta of each row instead; empty = huber for all
  Vector weights;     // w, a count or importance per row; empty = 1
};

struct SolverOptions {
  int evaluations = 1000;  // of the residuals, at most
  // Stop when the objective can fall by no more than this share of itself.
  double tolerance = 1e-20;
  double reach = 0.3;  // the first step is at most so many times as long as the start itself
};

struct Minimum {
  Vector x;
  double objective = std::numeric_limits<double>::infinity();
  double promise = std::numeric_limits<double>::infinity();  // by how much it may still fall
  bool converged = false;  // the promise is within the tolerance, or lost in rounding
  int evaluations = 0;
};

// The minimum downhill of `start`, which is moved into the box first.
Minimum minimise_residuals(const ResidualProblem& problem, Vector start,
                           const SolverOptions& options);

}  // namespace bitlaw
