// Properties of a minimum: it stays in the box, outliers do not move it, weights count rows.
#include "solve/solver.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "laws/dual.h"

namespace bitlaw {
namespace {

struct Point {
  double y, x;
};

// Residuals model(b, x) - y with exact derivatives.
template <int K, class Model>
ResidualProblem problem_of(const std::vector<Point>& points, const Model& model) {
  ResidualProblem problem;
  problem.rows = static_cast<int>(points.size());
  problem.low = Vector::Constant(K, -std::numeric_limits<double>::infinity());
  problem.high = -problem.low;
  problem.evaluate = [points, model](const Vector& b, Vector& r, Matrix* jacobian) {
    Dual<K> variables[K];
    for (int j = 0; j < K; ++j) variables[j] = Dual<K>::variable(b[j], j);
    for (size_t i = 0; i < points.size(); ++i) {
      const Dual<K> y = model(variables, points[i].x);
      r[i] = y.value - points[i].y;
      if (jacobian) {
        for (int j = 0; j < K; ++j) (*jacobian)(i, j) = y.d[j];
      }
    }
    return r.allFinite();
  };
  return problem;
}

TEST(Solver, StaysInTheBoxAndFindsTheEdge) {
  ResidualProblem problem = problem_of<2>({{1, 0}, {3, 1}, {5, 2}},
                                          [](const auto* b, double x) { return b[0] + b[1] * x; });
  problem.high[1] = 1.5;  // the slope wants to be 2
  const Minimum found = minimise_residuals(problem, Vector::Zero(2), {});
  EXPECT_TRUE(found.converged);
  EXPECT_EQ(found.x[1], 1.5);
  // The mean of y - 1.5 x. The solver may stop 1e-14 of the objective 0.25 above the bottom, whose
  // curvature is 3: sqrt(2 * 1e-14 * 0.25 / 3) = 4e-8 away.
  EXPECT_NEAR(found.x[0], 1.5, 5e-8);
}

TEST(Solver, HuberWithAFewOutliersIsTheLineOfTheRest) {
  std::vector<Point> points;
  for (int i = 0; i < 41; ++i) points.push_back({2.0 + 0.5 * i, static_cast<double>(i)});
  for (const int i : {3, 17, 30}) points[i].y += 100;
  ResidualProblem problem =
      problem_of<2>(points, [](const auto* b, double x) { return b[0] + b[1] * x; });
  problem.huber = 1e-3;
  const Minimum found = minimise_residuals(problem, Vector::Zero(2), {});
  EXPECT_TRUE(found.converged);
  // The outliers pull with force delta each, 3e-3 together, against 38 springs of stiffness 1.
  EXPECT_NEAR(found.x[0], 2, 1e-3);
  EXPECT_NEAR(found.x[1], 0.5, 1e-4);
  EXPECT_NEAR(found.objective, 3 * 1e-3 * 100, 1e-4);
}

TEST(Solver, TheGradientIsZeroAtAHuberMinimum) {
  std::vector<Point> points;
  for (int i = 0; i < 200; ++i) {
    const double x = 0.05 * i;
    points.push_back({3 * std::exp(-0.7 * x) + 0.5 + 0.01 * random_normal(7, 0, i), x});
  }
  ResidualProblem problem =
      problem_of<3>(points, [](const auto* b, double x) { return b[0] * exp(-b[1] * x) + b[2]; });
  problem.huber = 1e-3;  // most rows lie beyond it
  const Minimum found = minimise_residuals(problem, Vector::Ones(3), {});
  EXPECT_TRUE(found.converged);
  Vector r(problem.rows);
  Matrix jacobian(problem.rows, 3);
  problem.evaluate(found.x, r, &jacobian);
  Vector gradient = Vector::Zero(3);
  for (int i = 0; i < problem.rows; ++i) {
    gradient += std::clamp(r[i], -1e-3, 1e-3) * jacobian.row(i).transpose();
  }
  // Against the sum of the terms that cancel in it.
  EXPECT_LT(gradient.cwiseAbs().maxCoeff(), 1e-7 * 1e-3 * jacobian.cwiseAbs().sum());
}

TEST(Solver, WeightsCountRows) {
  const std::vector<Point> twice{{1, 0}, {1, 0}, {3, 1}, {4, 2}}, once{{1, 0}, {3, 1}, {4, 2}};
  const auto line = [](const auto* b, double x) { return b[0] + b[1] * x; };
  ResidualProblem weighted = problem_of<2>(once, line);
  weighted.weights = Vector::Ones(3);
  weighted.weights[0] = 2;
  const Minimum a = minimise_residuals(problem_of<2>(twice, line), Vector::Zero(2), {});
  const Minimum b = minimise_residuals(weighted, Vector::Zero(2), {});
  EXPECT_NEAR((a.x - b.x).cwiseAbs().maxCoeff(), 0, 1e-12);
  EXPECT_NEAR(a.objective, b.objective, 1e-15);
}

// y = level of the class + slope x: forty classes, of which a row knows its own. The slope is the
// regression of what is left when every class's mean is taken away, the levels follow from it.
TEST(Solver, ManyColumnsOfWhichARowKnowsFew) {
  constexpr int kClasses = 40, kEach = 6, kRows = kClasses * kEach;
  std::vector<double> x, y;
  for (int i = 0; i < kRows; ++i) {
    x.push_back(random_uniform(9, 0, i));
    y.push_back(0.1 * (i % kClasses) + 2 * x.back() + 0.3 * random_normal(9, 1, i));
  }
  ResidualProblem problem;
  problem.rows = kRows;
  problem.low = Vector::Constant(kClasses + 1, -100);
  problem.high = -problem.low;
  problem.evaluate = [&](const Vector& b, Vector& r, Matrix* jacobian) {
    if (jacobian) jacobian->setZero();
    for (int i = 0; i < kRows; ++i) {
      r[i] = b[0] * x[i] + b[1 + i % kClasses] - y[i];
      if (!jacobian) continue;
      (*jacobian)(i, 0) = x[i];
      (*jacobian)(i, 1 + i % kClasses) = 1;
    }
    return true;
  };
  std::vector<double> mean_x(kClasses, 0), mean_y(kClasses, 0);
  for (int i = 0; i < kRows; ++i) {
    mean_x[i % kClasses] += x[i] / kEach;
    mean_y[i % kClasses] += y[i] / kEach;
  }
  double xy = 0, xx = 0;
  for (int i = 0; i < kRows; ++i) {
    const double dx = x[i] - mean_x[i % kClasses];
    xy += dx * (y[i] - mean_y[i % kClasses]);
    xx += dx * dx;
  }
  const Minimum found = minimise_residuals(problem, Vector::Ones(kClasses + 1), {});
  EXPECT_TRUE(found.converged);
  EXPECT_NEAR(found.x[0], xy / xx, 1e-9);
  for (int c = 0; c < kClasses; ++c) {
    EXPECT_NEAR(found.x[1 + c], mean_y[c] - xy / xx * mean_x[c], 1e-9) << c;
  }
  // One class at the edge of its range, the others as before but for the slope.
  problem.high[1] = found.x[1] - 0.5;
  const Minimum held = minimise_residuals(problem, Vector::Zero(kClasses + 1), {});
  EXPECT_TRUE(held.converged);
  EXPECT_EQ(held.x[1], problem.high[1]);
  EXPECT_NEAR(held.x[7], mean_y[6] - held.x[0] * mean_x[6], 1e-9);
}

}  // namespace
}  // namespace bitlaw
