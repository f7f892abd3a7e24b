// Robust nonlinear least squares in a box:
//
//   minimise over x    sum_i w_i rho(r_i(x)),     rho(r) = r^2 / 2                for |r| <= delta
//                                                 rho(r) = delta (|r| - delta/2)  beyond (Huber)
//
// Every step minimises a model of the objective with linearised residuals and the exact rho:
//
//   m(s) = sum_i w_i rho(r_i + J_i s) + s' B s / 2 + lambda s' D s / 2,     x + s in the box.
//
// With many rows beyond delta the usual reweighted Gauss-Newton step converges slowly, because rho
// is linear there. This step does not, and minimising the model needs no evaluation of the
// residuals. B approximates the second-order part of the residuals; it is estimated from the
// gradients of successive points (Dennis, Gay and Welsch 1981, NL2SOL) and used while it predicts
// better than B = 0. lambda keeps the step within a radius that depends on how well the model
// predicted the objective (More 1978). In a long curved valley the residuals of a trial correct the
// step, without a new Jacobian (the geodesic acceleration of Transtrum and Sethna 2012, with a full
// step for the difference).
//
// Convergence is judged by the decrease that the model still predicts. The gradient gives it to all
// digits, whereas differences of the objective would be rounding errors. A mean loss and a loose
// tolerance are how published constants went wrong (arXiv 2404.10102).
#pragma once

#include <Eigen/Core>
#include <functional>
#include <limits>

namespace bitlaw {

using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;  // by column

struct ResidualProblem {
  int rows = 0;
  // Fills r (rows) and, unless null, the Jacobian (rows x columns, d r_i / d x_j). Both already
  // have their sizes. Returns false, or gives a value that is not finite, if x is invalid.
  std::function<bool(const Vector& x, Vector& r, Matrix* jacobian)> evaluate;
  Vector low, high;  // the box, one entry per column; may be infinite
  // Typical step per column, if known (empty = unknown); stops weakly determined columns from
  // jumping at the start.
  Vector scale;
  double huber = std::numeric_limits<double>::infinity();  // delta; infinite = plain squares
  Vector thresholds;  // delta of each row instead; empty = huber for all
  Vector weights;     // w, a count or importance per row; empty = 1
};

struct SolverOptions {
  int evaluations = 1000;  // of the residuals, at most
  // Stop when the predicted relative decrease of the objective is at most this.
  double tolerance = 1e-20;
  double reach = 0.3;  // length limit of the first step, relative to the start
};

struct Minimum {
  Vector x;
  double objective = std::numeric_limits<double>::infinity();
  double promise = std::numeric_limits<double>::infinity();  // predicted further decrease
  bool converged = false;  // promise within the tolerance, or below rounding
  int evaluations = 0;
};

// The local minimum reached from `start`, which is first moved into the box.
Minimum minimise_residuals(const ResidualProblem& problem, Vector start,
                           const SolverOptions& options);

}  // namespace bitlaw
