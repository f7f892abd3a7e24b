// The solver against certified results, from both starting points of each problem: at least eight
// correct digits of every parameter and of the sum of squares. The same settings for all problems.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "laws/dual.h"
#include "solve/nist_data.h"
#include "solve/solver.h"

namespace bitlaw {
namespace {

// Residuals model(b, x) - y with exact derivatives.
template <int K, class Model>
ResidualProblem problem_of(const NistProblem& data, const Model& model) {
  ResidualProblem problem;
  problem.rows = static_cast<int>(data.points.size());
  problem.low = Vector::Constant(K, -std::numeric_limits<double>::infinity());
  problem.high = -problem.low;
  problem.evaluate = [points = data.points, model](const Vector& b, Vector& r, Matrix* jacobian) {
    Dual<K> variables[K];
    for (int j = 0; j < K; ++j) variables[j] = Dual<K>::variable(b[j], j);
    for (size_t i = 0; i < points.size(); ++i) {
      const long row = static_cast<long>(i);
      const Dual<K> y = model(variables, points[i].x);
      r[row] = y.value - points[i].y;
      for (int j = 0; jacobian && j < K; ++j) (*jacobian)(row, j) = y.d[j];
    }
    return r.allFinite();
  };
  return problem;
}

// The models, as NIST states them.
struct Case {
  NistProblem data;
  ResidualProblem problem;
};

const auto saturation = [](const auto* b, double x) { return b[0] * (1.0 - exp(-b[1] * x)); };
const auto rational = [](const auto* b, double x) {
  return b[0] * (x * x + x * b[1]) / (x * x + x * b[2] + b[3]);
};
const auto cubic = [](const auto* b, double x) {
  return (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) / (1.0 + x * (b[4] + x * (b[5] + x * b[6])));
};
const auto sigmoid = [](const auto* b, double x) { return b[0] / (1.0 + exp(b[1] - b[2] * x)); };
const auto arrhenius = [](const auto* b, double x) { return b[0] * exp(b[1] / (x + b[2])); };
const auto peak = [](const auto* b, double x) {
  const auto z = (x - b[2]) / b[1];
  return b[0] / b[1] * exp(-0.5 * z * z);
};
const auto growth = [](const auto* b, double x) {
  return b[0] * exp(-log(1.0 + exp(b[1] - b[2] * x)) / b[3]);
};
const auto power = [](const auto* b, double x) { return b[0] * exp(-log(b[1] + x) / b[2]); };

std::vector<Case> cases() {
  return {{kMisra1a, problem_of<2>(kMisra1a, saturation)},
          {kMGH09, problem_of<4>(kMGH09, rational)},
          {kThurber, problem_of<7>(kThurber, cubic)},
          {kBoxBOD, problem_of<2>(kBoxBOD, saturation)},
          {kRat42, problem_of<3>(kRat42, sigmoid)},
          {kMGH10, problem_of<3>(kMGH10, arrhenius)},
          {kEckerle4, problem_of<3>(kEckerle4, peak)},
          {kRat43, problem_of<4>(kRat43, growth)},
          {kBennett5, problem_of<3>(kBennett5, power)}};
}

// Correct digits, at most the eleven that are certified.
double digits(double value, double certified) {
  const double error = std::fabs(value - certified) / std::fabs(certified);
  return error > 0 ? std::clamp(-std::log10(error), 0.0, 11.0) : 11;
}

TEST(Nist, EightDigitsFromBothStarts) {
  fmt::print("{:<10} {:>5} {:>10} {:>10} {:>11}\n", "problem", "start", "parameters", "squares",
             "evaluations");
  for (const Case& each : cases()) {
    for (int start = 0; start < 2; ++start) {
      const std::vector<double>& from = each.data.starts[start];
      const Minimum found = minimise_residuals(
          each.problem, Eigen::Map<const Vector>(from.data(), static_cast<long>(from.size())), {});
      double worst = 11;
      for (size_t j = 0; j < from.size(); ++j) {
        worst = std::min(worst, digits(found.x[static_cast<long>(j)], each.data.certified[j]));
      }
      const double squares = digits(2 * found.objective, each.data.sum_of_squares);
      fmt::print("{:<10} {:>5} {:>10.1f} {:>10.1f} {:>11}\n", each.data.name, start + 1, worst,
                 squares, found.evaluations);
      EXPECT_TRUE(found.converged) << each.data.name;
      EXPECT_GE(worst, 8) << each.data.name << ", start " << start + 1;
      EXPECT_GE(squares, 8) << each.data.name << ", start " << start + 1;
    }
  }
}

}  // namespace
}  // namespace bitlaw
