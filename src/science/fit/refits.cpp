#include "fit/refits.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "fit/bootstrap.h"
#include "solve/solver_kernel.h"

namespace bitlaw {
namespace {

constexpr int kMostSteps = 8;
constexpr double kEnough = 1e-5;  // share of what the first step promises: 3 in 1000 of its length

// J' (w psi(r)); returns the objective.
double gradient_of(double huber, const Vector& weights, const Vector& residuals,
                   const Matrix& jacobian, Vector& gradient) {
  thread_local std::vector<double> scratch;
  const int columns = static_cast<int>(jacobian.cols());
  scratch.resize(SolverKernel::scratch_size(columns));
  gradient.resize(columns);
  const RowTerms terms{.rows = residuals.size(), .weights = weights.data(), .threshold = huber};
  return solver_kernel().normal_equations(terms, residuals.data(), jacobian.data(),
                                          jacobian.outerStride(), columns, 0, scratch.data(),
                                          gradient.data(), nullptr);
}

bool is_inside(const Coordinates& coordinates, const Vector& x) {
  return (x.array() > coordinates.low().array()).all() &&
         (x.array() < coordinates.high().array()).all();
}

// How far each coordinate moves the objective by what a draw does: its standard error if the others
// were known.
Vector steps_of(double huber, const Vector& weights, const Vector& residuals,
                const Matrix& jacobian) {
  const double noise =
      weights.dot(residuals.cwiseAbs().cwiseMin(huber).cwiseAbs2()) / weights.sum();
  Vector out(jacobian.cols());
  for (long j = 0; j < out.size(); ++j)
    out[j] = std::sqrt(noise / weights.dot(jacobian.col(j).cwiseAbs2()));
  return out;
}

}  // namespace

Refits::Refits(const StageSetup& setup, const std::vector<Observation>& rows,
               const std::vector<double>& values)
    : setup_(setup), rows_(rows), values_(values) {
  if (rows.size() < kFewest || setup.free.empty()) return;
  shared_ = shared_at_minimum();
  if (!shared_ || agrees_with_solver()) return;
  last_step_ = true;
  if (!agrees_with_solver()) shared_.reset();
}

std::unique_ptr<const Refits::Shared> Refits::shared_at_minimum() const {
  auto out = std::make_unique<Shared>(
      Shared{.coordinates = {*setup_.law, setup_.base, setup_.free, setup_.tied_to},
             .rows = {*setup_.law, rows_, setup_.settings}});
  Shared& at = *out;
  const double huber = setup_.settings.huber;
  at.weights = at.rows.weights(rows_, setup_.settings);
  at.x = at.coordinates.from_values(values_);
  const long columns = at.x.size();
  at.residuals.resize(at.rows.padded());
  at.jacobian.resize(at.rows.padded(), columns);
  if (!at.rows.at(at.coordinates, at.x, at.residuals, at.jacobian)) return nullptr;
  const Vector steps = steps_of(huber, at.weights, at.residuals, at.jacobian);
  if (!steps.allFinite()) return nullptr;

  // Differences of the gradient, and of J0' (w psi(r)).
  Matrix second(columns, columns), chord(columns, columns), jacobian = at.jacobian;
  Vector residuals = at.residuals, gradient;
  for (long j = 0; j < columns; ++j) {
    second.col(j).setZero(), chord.col(j).setZero();
    for (const double side : {-0.5, 0.5}) {
      Vector x = at.x;
      x[j] += 2 * side * steps[j];
      if (!is_inside(at.coordinates, x) || !at.rows.at(at.coordinates, x, residuals, jacobian))
        return nullptr;
      gradient_of(huber, at.weights, residuals, jacobian, gradient);
      second.col(j) += side / steps[j] * gradient;
      gradient_of(huber, at.weights, residuals, at.jacobian, gradient);
      chord.col(j) += side / steps[j] * gradient;
    }
  }
  at.second_order = second - chord;
  at.curvature = 0.5 * (second + second.transpose());
  const Eigen::LLT<Matrix> cholesky(at.curvature);
  if (cholesky.info() != Eigen::Success) return nullptr;
  at.inverse = cholesky.solve(Matrix::Identity(columns, columns));
  return at.inverse.allFinite() && at.second_order.allFinite() ? std::move(out) : nullptr;
}

// How far apart the minima of a few draws are, in the measure of the objective, in which a standard
// error of every constant together has the length of the root of their number.
bool Refits::agrees_with_solver() const {
  constexpr int kDraws = 3;
  constexpr double kFiftieth = 1.0 / 50;
  const std::vector<int> cluster = number_clusters(rows_);
  const int clusters = 1 + *std::max_element(cluster.begin(), cluster.end());
  const auto square = [&](const Vector& v) { return v.dot(shared_->curvature * v); };
  double apart = 0, moved = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    const std::vector<double> counts = draw_clusters(clusters, setup_.seed, draw, 0);
    std::vector<double> weights(rows_.size());
    for (size_t i = 0; i < weights.size(); ++i)
      weights[i] = counts[static_cast<size_t>(cluster[i])];
    const StageMinimum ours = by_shared(setup_.base, weights);
    if (!ours.converged) return false;
    const StageMinimum solved = refit_stage(setup_, rows_, values_, weights, 1e-12);
    const Vector x = shared_->coordinates.from_values(solved.values);
    apart = std::max(apart, square(shared_->coordinates.from_values(ours.values) - x));
    moved += square(x - shared_->x) / kDraws;
  }
  return apart <= kFiftieth * kFiftieth * moved / static_cast<double>(shared_->x.size());
}

StageMinimum Refits::by_shared(const std::vector<double>& base,
                               const std::vector<double>& weights) const {
  const Shared& at = *shared_;
  thread_local Vector of_rows, residuals;
  of_rows = at.weights;
  for (size_t i = 0; i < weights.size(); ++i) of_rows[static_cast<long>(i)] *= weights[i];
  residuals = at.residuals;
  // Another base moves the constants that are not free, such as those of training.
  const Coordinates here(*setup_.law, base, setup_.free, setup_.tied_to);
  bool current = base == setup_.base;
  Vector x = at.x, gradient;
  double first = 0, last = 0;
  for (int step = 0; step < kMostSteps; ++step) {
    if (!current && !at.rows.at(here.values(x), residuals)) return {};
    current = false;
    const double objective =
        gradient_of(setup_.settings.huber, of_rows, residuals, at.jacobian, gradient);
    gradient += at.second_order * (x - at.x);
    const Vector change = at.inverse * gradient;
    const double promise = 0.5 * gradient.dot(change);
    if (step == 0) first = last = promise;
    x -= change;
    if (!std::isfinite(promise) || promise > first || !is_inside(here, x)) return {};
    const double next = promise * promise / last;  // promised by another step, as they shrink
    last = promise;
    if (step == 0 || next > kEnough * first) continue;
    if (last_step_) {
      thread_local Matrix jacobian;
      jacobian.resize(at.rows.padded(), x.size());
      if (!at.rows.at(here, x, residuals, jacobian)) return {};
      gradient_of(setup_.settings.huber, of_rows, residuals, jacobian, gradient);
      x -= at.inverse * gradient;
      if (!is_inside(here, x)) return {};
    }
    return {.values = here.values(x),
            .objective = objective - promise,
            .converged = true,
            .starts = 1,
            .reached = 1};
  }
  return {};
}

StageMinimum Refits::refit(const std::vector<double>& base,
                           const std::vector<double>& weights) const {
  if (shared_) {
    StageMinimum found = by_shared(base, weights);
    if (found.converged) return found;
  }
  StageSetup setup = setup_;
  setup.base = base;
  return refit_stage(setup, rows_, values_, weights);
}

}  // namespace bitlaw
