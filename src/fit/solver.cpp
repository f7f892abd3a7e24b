#include "fit/solver.h"

#include <Eigen/Cholesky>
#include <cmath>

namespace bitlaw {
namespace {

using Square = Eigen::MatrixXd;

// Everything known at one x.
struct State {
  Vector x;
  double objective = std::numeric_limits<double>::infinity();
  Vector residuals, gradient;
  Matrix jacobian;
};

double weight(const ResidualProblem& problem, int row) {
  return problem.weights.size() > 0 ? problem.weights[row] : 1;
}

// rho'(r): r cut off at +-delta.
double slope(const ResidualProblem& problem, double r) {
  return std::fmax(-problem.huber, std::fmin(problem.huber, r));
}

double objective_of(const ResidualProblem& problem, const Vector& residuals) {
  double sum = 0;
  for (int i = 0; i < problem.rows; ++i) {
    const double r = std::fabs(residuals[i]), delta = problem.huber;
    sum += weight(problem, i) * (r <= delta ? 0.5 * r * r : delta * (r - 0.5 * delta));
  }
  return sum;
}

// The objective alone, infinite where x makes no sense.
double evaluate_objective(const ResidualProblem& problem, const Vector& x, Vector& residuals) {
  if (!problem.evaluate(x, residuals, nullptr)) return std::numeric_limits<double>::infinity();
  const double objective = objective_of(problem, residuals);
  return std::isfinite(objective) ? objective : std::numeric_limits<double>::infinity();
}

bool evaluate_all(const ResidualProblem& problem, const Vector& x, State& out) {
  out.x = x;
  out.residuals.resize(problem.rows);
  out.jacobian.resize(problem.rows, x.size());
  if (!problem.evaluate(x, out.residuals, &out.jacobian)) return false;
  out.objective = objective_of(problem, out.residuals);
  out.gradient.setZero(x.size());
  for (int i = 0; i < problem.rows; ++i) {
    out.gradient +=
        weight(problem, i) * slope(problem, out.residuals[i]) * out.jacobian.row(i).transpose();
  }
  return std::isfinite(out.objective) && out.gradient.allFinite();
}

Vector into_box(const ResidualProblem& problem, const Vector& x) {
  return x.cwiseMax(problem.low).cwiseMin(problem.high);
}

// J' W J with W = rho'(r)/r: what the objective looks like from above.
Square gauss_newton_hessian(const ResidualProblem& problem, const State& state) {
  Vector scale(problem.rows);
  for (int i = 0; i < problem.rows; ++i) {
    const double r = std::fabs(state.residuals[i]);
    scale[i] = weight(problem, i) * (r <= problem.huber ? 1 : problem.huber / r);
  }
  return state.jacobian.transpose() * scale.asDiagonal() * state.jacobian;
}

// sum_i w_i (rho''(r_i) J_i' J_i + rho'(r_i) Hessian(r_i)). The second term is the derivative of J'
// psi with psi = w rho'(r) held still, by central differences of the exact J: smooth, although
// rho'' jumps at delta. A column whose neighbours make no sense keeps the first term alone.
Square true_hessian(const ResidualProblem& problem, const State& state) {
  const int k = static_cast<int>(state.x.size());
  Vector curved(problem.rows), psi(problem.rows);
  for (int i = 0; i < problem.rows; ++i) {
    curved[i] = std::fabs(state.residuals[i]) <= problem.huber ? weight(problem, i) : 0;
    psi[i] = weight(problem, i) * slope(problem, state.residuals[i]);
  }
  Square bend = Square::Zero(k, k);
  Vector residuals(problem.rows);
  Matrix up(problem.rows, k), down(problem.rows, k);
  for (int j = 0; j < k; ++j) {
    const double h = 1e-5 * std::fmax(std::fabs(state.x[j]), 1e-2);
    Vector x = state.x;
    x[j] = state.x[j] + h;
    const bool above = problem.evaluate(x, residuals, &up);
    x[j] = state.x[j] - h;
    const bool below = problem.evaluate(x, residuals, &down);
    if (above && below) bend.col(j) = (up - down).transpose() * psi / (2 * h);
  }
  return state.jacobian.transpose() * curved.asDiagonal() * state.jacobian +
         0.5 * (bend + bend.transpose());
}

// A coordinate at its bound that wants to go further out stays where it is.
bool is_held(const ResidualProblem& problem, const State& state, int j) {
  return (state.x[j] <= problem.low[j] && state.gradient[j] > 0) ||
         (state.x[j] >= problem.high[j] && state.gradient[j] < 0);
}

// The step -(H + lambda diag)^-1 g over coordinates that are not held; false where that matrix is
// not positive definite.
bool damped_step(const ResidualProblem& problem, const State& state, const Square& hessian,
                 double lambda, Vector& step) {
  const int k = static_cast<int>(state.x.size());
  const double largest = hessian.diagonal().cwiseAbs().maxCoeff();
  Square damped = hessian;
  Vector gradient = state.gradient;
  for (int j = 0; j < k; ++j) {
    if (is_held(problem, state, j)) {
      damped.row(j).setZero();
      damped.col(j).setZero();
      damped(j, j) = 1;
      gradient[j] = 0;
    } else {
      damped(j, j) += lambda * std::fmax(std::fabs(hessian(j, j)), 1e-12 * largest);
    }
  }
  // Scaled to a unit diagonal: columns of very different size would otherwise hide definiteness.
  const Vector scale = damped.diagonal().cwiseAbs().cwiseMax(1e-300).cwiseSqrt().cwiseInverse();
  const Eigen::LLT<Square> factor(scale.asDiagonal() * damped * scale.asDiagonal());
  if (factor.info() != Eigen::Success) return false;
  step = -(scale.asDiagonal() * factor.solve(scale.asDiagonal() * gradient));
  return step.allFinite();
}

template <class Hessian>
Minimum descend(const ResidualProblem& problem, Vector start, int steps, double tolerance,
                double lambda, const Hessian& hessian_at) {
  State state;
  Minimum out;
  out.x = into_box(problem, start);
  if (!evaluate_all(problem, out.x, state)) return out;
  Vector step, residuals(problem.rows);
  for (int i = 0; i < steps && !out.converged; ++i) {
    const Square hessian = hessian_at(problem, state);
    bool moved = false;
    while (!moved && !out.converged) {
      if (lambda >
          1e16) {  // no step, however short, goes down: the rounding of the objective is reached
        out.converged = true;
        break;
      }
      if (!damped_step(problem, state, hessian, lambda, step)) {
        lambda = std::fmax(10 * lambda, 1e-6);
        continue;
      }
      const Vector trial = into_box(problem, state.x + step);
      const double promised = -0.5 * state.gradient.dot(trial - state.x);
      const double objective = evaluate_objective(problem, trial, residuals);
      if (objective < state.objective) {
        out.converged = state.objective - objective <= tolerance * state.objective &&
                        promised <= tolerance * state.objective;
        lambda = lambda < 1e-12 ? 0 : 0.1 * lambda;
        moved = evaluate_all(problem, trial, state);
        if (!moved) break;
      } else if (promised <= tolerance * state.objective) {
        out.converged = true;
      } else {
        lambda = std::fmax(10 * lambda, 1e-6);
      }
    }
    if (!moved) break;
  }
  out.x = state.x;
  out.objective = state.objective;
  return out;
}

}  // namespace

Minimum polish(const ResidualProblem& problem, Vector start, const SolverOptions& options) {
  return descend(problem, std::move(start), options.newton_steps, options.tolerance, 0,
                 true_hessian);
}

Minimum minimise_residuals(const ResidualProblem& problem, Vector start,
                           const SolverOptions& options) {
  // The first phase stops early: what is left is the second's to do.
  const Minimum rough = descend(problem, std::move(start), options.gauss_newton_steps,
                                std::fmax(options.tolerance, 1e-5), 1e-3, gauss_newton_hessian);
  if (!std::isfinite(rough.objective) || options.newton_steps == 0) return rough;
  return polish(problem, rough.x, options);
}

}  // namespace bitlaw
