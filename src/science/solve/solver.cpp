#include "solve/solver.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/error.h"
#include "solve/solver_cholesky.h"
#include "solve/solver_kernel.h"
#include "solve/solver_sparse.h"

namespace bitlaw {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Below this share of the objective its differences are rounding errors, and only the gradient is
// informative.
constexpr double kRounding = 1e-11;

// A step that brought at least this share of what was promised was a good one.
constexpr double kGood = 0.75;

// B is used for steps that would also do without it: at least this share of the promise.
constexpr double kAgree = 0.8;

// Everything known at one x.
struct Point {
  Vector x, residuals, gradient;
  Matrix jacobian, hessian;  // hessian: J' C J of the reweighted rows
  SparseRows sparse;         // the Jacobian again, if that pays off
  bool is_sparse = false;
  double objective = kInfinity;
};

// One descent, with all the memory it needs.
class Descent {
 public:
  Descent(const ResidualProblem& problem, const SolverOptions& options);
  Minimum run(const Vector& start);

 private:
  bool evaluate_values(const Vector& x);
  bool evaluate_point(const Vector& x, Point& out);
  double sums(const Vector& residuals, const Point& point, double outside, Vector& gradient,
              Matrix* hessian);
  Vector into_box(const Vector& x) const;

  bool find_damping();
  // The step of the model, into step_ and target_; false if its matrix is not positive definite.
  bool find_step();
  bool newton_direction(const Vector& slope, double lambda);
  bool is_held(const Vector& slope, int j) const;
  double inverse_square_of(const Vector& x);
  bool find_correction();
  bool correct(double promised);
  void adapt_radius(double gained, double promised, double length);
  void learn_bend(const Point& from, const Point& to);

  const ResidualProblem& problem_;
  const SolverOptions& options_;
  const SolverKernel& kernel_;
  const int columns_;
  RowTerms terms_;
  bool squares_;  // no row has a threshold: the model is a quadratic
  int evaluations_ = 0;

  Point here_, there_;
  Matrix bend_;            // B
  bool use_bend_ = false;  // B predicts better than 0

  Vector damping_;     // D, the largest squared size of each column so far
  double radius_ = 0;  // no step is much longer, measured by D
  double lambda_ = 0;  // that keeps it so

  Vector target_, step_;  // target_ = here_.x + step_, in the box
  double straight_ = 0;   // what the model without B and lambda takes off over step_
  double bent_ = 0;       // and with B

  // Scratch of find_step.
  Vector kept_, residuals_, slope_, direction_, moved_, product_;
  Vector next_target_, next_, gradient_, next_gradient_;
  Matrix curvature_, next_curvature_, factor_;
  double next_straight_ = 0;
  std::vector<double> scratch_;
  std::vector<int> order_, first_nonzero_;  // of a sparse problem's columns, of the factor's rows
};

Descent::Descent(const ResidualProblem& problem, const SolverOptions& options)
    : problem_(problem),
      options_(options),
      kernel_(solver_kernel()),
      columns_(static_cast<int>(problem.low.size())) {
  const auto one_per_row = [&](const Vector& v) {
    return v.size() == 0 || v.size() == problem.rows;
  };
  BITLAW_CHECK(one_per_row(problem.weights) && one_per_row(problem.thresholds) &&
               (problem.scale.size() == 0 || problem.scale.size() == columns_));
  terms_ = {.rows = problem.rows,
            .weights = problem.weights.size() > 0 ? problem.weights.data() : nullptr,
            .thresholds = problem.thresholds.size() > 0 ? problem.thresholds.data() : nullptr,
            .threshold = problem.huber};
  squares_ = terms_.thresholds == nullptr && std::isinf(problem.huber);
  for (Point* point : {&here_, &there_}) {
    point->residuals.resize(problem.rows);
    point->jacobian.resize(problem.rows, columns_);
    point->gradient.resize(columns_);
    point->hessian.resize(columns_, columns_);
  }
  bend_.setZero(columns_, columns_);
  residuals_.resize(problem.rows);
  kept_.resize(problem.rows);
  for (Vector* v : {&step_, &slope_, &direction_, &moved_, &product_, &damping_, &target_,
                    &next_target_, &next_, &gradient_, &next_gradient_}) {
    v->setZero(columns_);
  }
  next_curvature_.resize(columns_, columns_);
  factor_.resize(columns_, columns_);
  first_nonzero_.resize(static_cast<size_t>(columns_));
  scratch_.resize(SolverKernel::scratch_size(columns_));
}

Vector Descent::into_box(const Vector& x) const {
  return x.cwiseMax(problem_.low).cwiseMin(problem_.high);
}

double Descent::sums(const Vector& residuals, const Point& point, double outside, Vector& gradient,
                     Matrix* hessian) {
  double* const squares = hessian ? hessian->data() : nullptr;
  if (point.is_sparse) {
    return point.sparse.normal_equations(terms_, residuals.data(), outside, gradient.data(),
                                         squares);
  }
  return kernel_.normal_equations(terms_, residuals.data(), point.jacobian.data(),
                                  point.jacobian.outerStride(), columns_, outside, scratch_.data(),
                                  gradient.data(), squares);
}

// The objective alone.
bool Descent::evaluate_values(const Vector& x) {
  ++evaluations_;
  there_.x = x;
  if (!problem_.evaluate(x, there_.residuals, nullptr)) return false;
  there_.objective = kernel_.objective(terms_, there_.residuals.data());
  return std::isfinite(there_.objective);
}

bool Descent::evaluate_point(const Vector& x, Point& out) {
  ++evaluations_;
  out.x = x;
  if (!problem_.evaluate(x, out.residuals, &out.jacobian)) return false;
  constexpr int kManyColumns = 24;
  out.is_sparse =
      columns_ >= kManyColumns &&
      out.sparse.build(terms_.rows, out.jacobian.data(), out.jacobian.outerStride(), columns_);
  if (out.is_sparse && order_.empty()) order_ = out.sparse.order();
  out.objective = sums(out.residuals, out, 1, out.gradient, &out.hessian);
  return std::isfinite(out.objective) && out.gradient.allFinite() && out.hessian.allFinite();
}

// direction_ = -(curvature_ + B + lambda D)^-1 slope over the coordinates that are not held: one at
// its bound that wants to go further out stays where it is.
bool Descent::newton_direction(const Vector& slope, double lambda) {
  const bool permuted = here_.is_sparse;
  for (int i = 0; i < columns_; ++i) {
    const int from = permuted ? order_[static_cast<size_t>(i)] : i;
    direction_[i] = is_held(slope, from) ? 0 : -slope[from];
  }
  if (permuted) {
    for (int j = 0; j < columns_; ++j) {
      const int from = order_[static_cast<size_t>(j)];
      for (int i = 0; i < columns_; ++i) {
        factor_(i, j) = curvature_(order_[static_cast<size_t>(i)], from);
      }
      factor_(j, j) += lambda * damping_[from];
    }
  } else {
    factor_ = curvature_;
    if (use_bend_) factor_ += bend_;
    factor_.diagonal() += lambda * damping_;
  }
  for (int i = 0; i < columns_; ++i) {
    if (!is_held(slope, permuted ? order_[static_cast<size_t>(i)] : i)) continue;
    factor_.row(i).setZero();
    factor_.col(i).setZero();
    factor_(i, i) = 1;
  }
  const int* first = nullptr;
  if (permuted) {
    for (int i = 0; i < columns_; ++i) {
      int& begin = first_nonzero_[static_cast<size_t>(i)];
      for (begin = 0; begin < i && factor_(begin, i) == 0;) ++begin;
    }
    first = first_nonzero_.data();
  }
  if (!factorise(columns_, factor_.data(), first)) return false;
  solve(columns_, factor_.data(), first, direction_.data());
  if (permuted) {
    moved_ = direction_;
    for (int i = 0; i < columns_; ++i) direction_[order_[static_cast<size_t>(i)]] = moved_[i];
  }
  return direction_.allFinite();
}

bool Descent::is_held(const Vector& slope, int j) const {
  const double x = target_[j];
  return (x <= problem_.low[j] && slope[j] > 0) || (x >= problem_.high[j] && slope[j] < 0);
}

// x' A^-1 x of the matrix A that newton_direction factorised.
double Descent::inverse_square_of(const Vector& x) {
  if (!here_.is_sparse) {
    moved_ = x;
    return inverse_square(columns_, factor_.data(), nullptr, moved_.data());
  }
  for (int i = 0; i < columns_; ++i) moved_[i] = x[order_[static_cast<size_t>(i)]];
  return inverse_square(columns_, factor_.data(), first_nonzero_.data(), moved_.data());
}

// D follows the point, lambda_ the radius: the step of the reweighted model, which is left in
// direction_, is as long as that to a tenth, or shorter and not damped (More 1978).
bool Descent::find_damping() {
  damping_ = damping_.cwiseMax(here_.hessian.diagonal());
  if (problem_.scale.size() > 0) {
    product_ = problem_.scale.cwiseAbs2();
    const double largest = damping_.cwiseProduct(product_).maxCoeff();
    damping_ = damping_.cwiseMax(1e-3 * largest * product_.cwiseInverse());
  }
  damping_ = damping_.cwiseMax(1e-12 * damping_.maxCoeff());
  target_ = here_.x;
  step_.setZero();
  curvature_ = here_.hessian;
  double least = 0;  // below it the matrix is not positive definite
  for (int i = 0; i < 60; ++i) {
    if (!newton_direction(here_.gradient, lambda_)) {
      lambda_ = least = std::max(1e-12, lambda_ * 10);
      continue;
    }
    product_ = damping_.cwiseProduct(direction_);
    const double length = std::sqrt(direction_.dot(product_));
    const bool shortest = lambda_ <= least || length >= 0.9 * radius_;
    if (length <= 1.1 * radius_ && shortest) return true;
    // Newton's step for 1 / length = 1 / radius.
    const double change =
        (length - radius_) / radius_ * length * length / inverse_square_of(product_);
    const double next = std::max(least, lambda_ + change);
    if (next == lambda_) return true;
    lambda_ = next;
  }
  return false;
}

// Newton's method on the model, from s = 0. Its first step takes rows beyond delta by their
// quadratic from above (a sure descent), later ones more and more as the straight lines they are.
bool Descent::find_step() {
  if (!find_damping()) return false;
  const double lambda = lambda_;
  gradient_ = here_.gradient;
  double outside = 1, value = 0, straight = 0;  // m and its first term, less what they are at s = 0
  straight_ = bent_ = 0;
  constexpr int kNewtonSteps = 30;
  // Where the radius cuts the step short anyway, its model needs little care.
  const double enough = lambda > 0 ? 0.3 : 0.1;
  for (int i = 0; i < kNewtonSteps; ++i) {
    slope_ = gradient_ + lambda * damping_.cwiseProduct(step_);
    if (use_bend_) slope_.noalias() += bend_ * step_;
    if (i > 0 && !newton_direction(slope_, lambda)) break;
    double reached = value, bend = 0;
    bool down = false;
    for (double length = 1; length > 1e-6 && !down; length *= 0.5) {
      next_target_ = into_box(here_.x + step_ + length * direction_);
      next_ = next_target_ - here_.x;
      moved_ = next_ - step_;
      product_.noalias() = curvature_ * moved_;
      const double quadratic = gradient_.dot(moved_) + 0.5 * moved_.dot(product_);
      next_straight_ = straight + quadratic;
      if (squares_) {
        next_gradient_ = gradient_ + product_;
      } else {
        kernel_.move(terms_.rows, here_.residuals.data(), here_.jacobian.data(),
                     here_.jacobian.outerStride(), columns_, next_.data(), residuals_.data());
        const double objective = sums(residuals_, here_, std::max(0.1 * outside, 1e-6),
                                      next_gradient_, &next_curvature_);
        if (-quadratic > kRounding * here_.objective) next_straight_ = objective - here_.objective;
      }
      product_.noalias() = bend_ * next_;
      bend = 0.5 * next_.dot(product_);
      reached = next_straight_ + (use_bend_ ? bend : 0) +
                0.5 * lambda * next_.dot(damping_.cwiseProduct(next_));
      down = reached <= value + 1e-4 * slope_.dot(moved_);
    }
    if (!down) break;
    const double gained = value - reached;
    value = reached;
    straight = next_straight_;
    outside = std::max(0.1 * outside, 1e-6);
    std::swap(gradient_, next_gradient_);
    if (!squares_) std::swap(curvature_, next_curvature_);
    std::swap(step_, next_);
    std::swap(target_, next_target_);
    straight_ = -straight;
    bent_ = -(straight + bend);
    if (gained <= enough * -value) break;
  }
  return true;
}

// next_target_: the minimum of the model around target_, with the residuals found there and the
// Jacobian of here_. False if that goes further than the step itself.
bool Descent::find_correction() {
  sums(there_.residuals, here_, 1, slope_, nullptr);
  slope_ += lambda_ * damping_.cwiseProduct(step_);
  if (use_bend_) slope_.noalias() += bend_ * step_;
  if (!newton_direction(slope_, lambda_)) return false;
  next_target_ = into_box(target_ + direction_);
  moved_ = next_target_ - target_;
  const double length = moved_.dot(damping_.cwiseProduct(moved_));
  return length < 0.5 * step_.dot(damping_.cwiseProduct(step_));
}

// B learns how the gradients of the residuals changed from one point to the next: the secant
// equation  B s = (J_to - J_from)' w psi(r_to), with the least change in the measure of the total
// change of the gradient, after B was shortened to what the same step says of its size.
void Descent::learn_bend(const Point& from, const Point& to) {
  if (from.is_sparse || to.is_sparse) return;  // B would be dense
  slope_ = to.x - from.x;
  sums(to.residuals, from, 1, direction_, nullptr);
  const Vector bent = to.gradient - direction_, change = to.gradient - from.gradient;
  const double along = slope_.dot(change);
  if (!(along > 1e-8 * std::sqrt(slope_.squaredNorm() * change.squaredNorm()))) return;
  next_.noalias() = bend_ * slope_;
  const double had = std::fabs(slope_.dot(next_)), has = std::fabs(slope_.dot(bent));
  const double keep = had > has ? has / had : 1;
  const Vector miss = bent - keep * next_;
  bend_ = keep * bend_ + (miss * change.transpose() + change * miss.transpose()) / along -
          slope_.dot(miss) / (along * along) * change * change.transpose();
}

// The residuals bend along the step: what the trial at target_ showed of that is made good by the
// same Jacobian, as long as that pays. Leaves the better trial in there_ and target_; true where it
// is a corrected one.
bool Descent::correct(double promised) {
  bool corrected = false;
  while (here_.objective - there_.objective < kGood * promised && find_correction()) {
    const double before = there_.objective;
    const double worth = 0.1 * (before - here_.objective + promised);
    kept_.swap(there_.residuals);
    if (!evaluate_values(next_target_) || !(there_.objective < before - worth)) {
      kept_.swap(there_.residuals);
      there_.x = target_;
      there_.objective = before;
      break;
    }
    target_ = next_target_;
    step_ = target_ - here_.x;
    corrected = true;
  }
  return corrected;
}

// Shorter after a step that broke its promise, longer after a good one.
void Descent::adapt_radius(double gained, double promised, double length) {
  if (gained < 0.25 * promised) {
    const double shrink = gained > -promised ? 0.5 : gained > -10 * promised ? 0.25 : 0.1;
    radius_ = shrink * std::min(radius_, length);
  } else if (gained > kGood * promised || lambda_ == 0) {
    radius_ = std::max(radius_, 2 * length);
  }
}

Minimum Descent::run(const Vector& start) {
  Minimum out;
  out.x = into_box(start);
  if (!evaluate_point(out.x, here_)) {
    out.evaluations = evaluations_;
    return out;
  }
  out.converged = columns_ == 0;
  const double size = std::sqrt(out.x.dot(here_.hessian.diagonal().cwiseProduct(out.x)));
  radius_ = options_.reach * (size > 0 ? size : 1);
  bool eager = true;                // the last step was good: expect the same of the next
  double last_promise = kInfinity;  // of a step within rounding
  while (!out.converged && evaluations_ < options_.evaluations) {
    if (!find_step()) {
      if (!use_bend_) break;
      use_bend_ = false;
      continue;
    }
    if (use_bend_ && straight_ < kAgree * bent_) {
      use_bend_ = false;
      continue;
    }
    const double promised = use_bend_ ? bent_ : straight_;
    const bool rounding = promised <= kRounding * here_.objective;
    out.converged = promised <= options_.tolerance * here_.objective ||
                    (rounding && promised >= 0.5 * last_promise);
    out.promise = promised;
    if (out.converged) break;
    if (rounding) last_promise = promised;

    const double length = std::sqrt(step_.dot(damping_.cwiseProduct(step_)));
    bool better = eager ? evaluate_point(target_, there_) : evaluate_values(target_);
    double gained = better ? here_.objective - there_.objective : -kInfinity;
    bool corrected = false;
    if (better) {
      use_bend_ = !there_.is_sparse && std::fabs(gained - bent_) < std::fabs(gained - straight_);
      corrected = !rounding && correct(promised);
      gained = here_.objective - there_.objective;
      better = gained >= (rounding ? -kRounding * here_.objective : 1e-4 * promised);
    }
    if (better && (corrected || !eager)) better = evaluate_point(target_, there_);
    eager = better && !corrected;
    if (!rounding) adapt_radius(gained, promised, length);
    if (better) {
      learn_bend(here_, there_);
      std::swap(here_, there_);
    } else {
      // Rounding, or no step goes down, however short.
      out.converged = rounding || radius_ < 1e-16 * size;
    }
  }
  out.x = here_.x;
  out.objective = here_.objective;
  out.evaluations = evaluations_;
  return out;
}

}  // namespace

Minimum minimise_residuals(const ResidualProblem& problem, Vector start,
                           const SolverOptions& options) {
  return Descent(problem, options).run(start);
}

}  // namespace bitlaw
