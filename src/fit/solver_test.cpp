// The solver against certified results: the nonlinear regression problems of the NIST Statistical
// Reference Datasets (public domain), from both of their starting points.
#include "fit/solver.h"

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

// At least eight digits of every certified value, and of the residual sum of squares.
void expect_certified(const ResidualProblem& problem,
                      const std::vector<std::vector<double>>& starts,
                      const std::vector<double>& certified, double sum_of_squares) {
  for (const std::vector<double>& start : starts) {
    const Minimum found = minimise_residuals(
        problem, Eigen::Map<const Vector>(start.data(), static_cast<long>(start.size())),
        {.gauss_newton_steps = 500});
    EXPECT_TRUE(found.converged);
    EXPECT_NEAR(2 * found.objective / sum_of_squares, 1, 1e-9);
    for (size_t j = 0; j < certified.size(); ++j) {
      EXPECT_NEAR(found.x[static_cast<long>(j)] / certified[j], 1, 1e-8) << "b" << j + 1;
    }
  }
}

TEST(Solver, Misra1a) {
  const std::vector<Point> points{{10.07, 77.6},  {14.73, 114.9}, {17.94, 141.1}, {23.93, 190.8},
                                  {29.61, 239.9}, {35.18, 289.0}, {40.02, 332.8}, {44.82, 378.4},
                                  {50.76, 434.8}, {55.05, 477.3}, {61.01, 536.8}, {66.40, 593.1},
                                  {75.47, 689.1}, {81.78, 760.0}};
  expect_certified(
      problem_of<2>(points, [](const auto* b, double x) { return b[0] * (1.0 - exp(-b[1] * x)); }),
      {{500, 0.0001}, {250, 0.0005}}, {2.3894212918E+02, 5.5015643181E-04}, 1.2455138894E-01);
}

TEST(Solver, MGH09) {
  const std::vector<Point> points{
      {1.957E-01, 4},        {1.947E-01, 2},        {1.735E-01, 1},       {1.600E-01, 0.5},
      {8.440E-02, 0.25},     {6.270E-02, 0.167},    {4.560E-02, 0.125},   {3.420E-02, 0.1},
      {3.230E-02, 8.33E-02}, {2.350E-02, 7.14E-02}, {2.460E-02, 6.25E-02}};
  expect_certified(problem_of<4>(points,
                                 [](const auto* b, double x) {
                                   return b[0] * (x * x + x * b[1]) / (x * x + x * b[2] + b[3]);
                                 }),
                   {{25, 39, 41.5, 39}, {0.25, 0.39, 0.415, 0.39}},
                   {1.9280693458E-01, 1.9128232873E-01, 1.2305650693E-01, 1.3606233068E-01},
                   3.0750560385E-04);
}

TEST(Solver, Thurber) {
  const std::vector<Point> points{
      {80.574, -3.067},   {84.248, -2.981},   {87.264, -2.921},   {87.195, -2.912},
      {89.076, -2.840},   {89.608, -2.797},   {89.868, -2.702},   {90.101, -2.699},
      {92.405, -2.633},   {95.854, -2.481},   {100.696, -2.363},  {101.060, -2.322},
      {401.672, -1.501},  {390.724, -1.460},  {567.534, -1.274},  {635.316, -1.212},
      {733.054, -1.100},  {759.087, -1.046},  {894.206, -0.915},  {990.785, -0.714},
      {1090.109, -0.566}, {1080.914, -0.545}, {1122.643, -0.400}, {1178.351, -0.309},
      {1260.531, -0.109}, {1273.514, -0.103}, {1288.339, 0.010},  {1327.543, 0.119},
      {1353.863, 0.377},  {1414.509, 0.790},  {1425.208, 0.963},  {1421.384, 1.006},
      {1442.962, 1.115},  {1464.350, 1.572},  {1468.705, 1.841},  {1447.894, 2.047},
      {1457.628, 2.200}};
  expect_certified(problem_of<7>(points,
                                 [](const auto* b, double x) {
                                   return (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) /
                                          (1.0 + x * (b[4] + x * (b[5] + x * b[6])));
                                 }),
                   {{1000, 1000, 400, 40, 0.7, 0.3, 0.03}, {1300, 1500, 500, 75, 1, 0.4, 0.05}},
                   {1.2881396800E+03, 1.4910792535E+03, 5.8323836877E+02, 7.5416644291E+01,
                    9.6629502864E-01, 3.9797285797E-01, 4.9727297349E-02},
                   5.6427082397E+03);
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

}  // namespace
}  // namespace bitlaw
