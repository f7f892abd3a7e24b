// The sums over rows: against plain loops in long double, and the same bits on every instruction
// set.
#include "solve/solver_kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"

namespace bitlaw {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Case {
  long rows;
  int columns;
  bool weights, thresholds;
  double threshold;
};

// Rows around the block's 64 and the batch's 8, none at all, and some with every option.
const std::vector<Case> kCases{
    {0, 2, false, false, 1},
    {1, 1, false, false, 0.5},
    {7, 3, true, false, 0.5},
    {8, 3, false, true, 0},
    {63, 4, true, true, 0},
    {64, 4, true, true, 0},
    {65, 5, true, true, 0},
    {130, 9, false, false, 1e-2},
    {1000, 9, true, false, kInfinity},
    {257, 40, true, true, 0},
    {100, 9, false, false, kInfinity},
    {64, 0, false, false, 1},
};

struct Table {
  explicit Table(const Case& c) : stride(c.rows + 3) {
    const auto normal = [](uint64_t stream, long i) {
      return random_normal(11, stream, static_cast<uint64_t>(i));
    };
    for (long i = 0; i < c.rows; ++i) {
      r.push_back(normal(0, i));
      weights.push_back(static_cast<double>(i % 4));  // counts, zero too
      thresholds.push_back(std::exp(normal(1, i)));
    }
    for (long i = 0; i < stride * c.columns; ++i) jacobian.push_back(normal(2, i));
    for (int j = 0; j < c.columns; ++j) step.push_back(normal(3, j));
    terms = {.rows = c.rows,
             .weights = c.weights ? weights.data() : nullptr,
             .thresholds = c.thresholds ? thresholds.data() : nullptr,
             .threshold = c.threshold};
  }

  long stride;
  std::vector<double> r, weights, thresholds, jacobian, step;
  RowTerms terms;
};

struct Sums {
  double objective = 0;
  std::vector<double> gradient, hessian, moved;
  bool operator==(const Sums&) const = default;
};

Sums sums_of(const SolverKernel& kernel, const Case& c, const Table& t, double outside) {
  Sums out;
  const size_t k = static_cast<size_t>(c.columns);
  out.gradient.resize(k);
  out.hessian.resize(k * k);
  out.moved.resize(static_cast<size_t>(c.rows));
  std::vector<double> scratch(SolverKernel::scratch_size(c.columns));
  out.objective =
      kernel.normal_equations(t.terms, t.r.data(), t.jacobian.data(), t.stride, c.columns, outside,
                              scratch.data(), out.gradient.data(), out.hessian.data());
  kernel.move(c.rows, t.r.data(), t.jacobian.data(), t.stride, c.columns, t.step.data(),
              out.moved.data());
  return out;
}

TEST(SolverKernel, AgreesWithPlainLoops) {
  for (const Case& c : kCases) {
    const Table t(c);
    for (const double outside : {0.0, 1.0}) {
      const Sums found = sums_of(solver_kernel(), c, t, outside);
      // rho, psi and the second derivative of every row.
      long double objective = 0, size_of_objective = 0;
      std::vector<long double> psi, curvature;
      for (size_t i = 0; i < t.r.size(); ++i) {
        const long double w = c.weights ? t.weights[i] : 1, size = std::fabs(t.r[i]);
        const long double delta = c.thresholds ? t.thresholds[i] : c.threshold;
        const bool within = size <= delta;
        const long double rho = within ? size * size / 2 : delta * (size - delta / 2);
        objective += w * rho;
        size_of_objective += w * (size * size / 2 + (within ? 0 : delta * size));
        psi.push_back(w * std::copysign(within ? size : delta, t.r[i]));
        curvature.push_back(within ? w : w * outside * delta / size);
      }
      // A sum of n products of three or four rounded factors.
      const double unit = std::ldexp(1.0, -53) * static_cast<double>(c.rows + 6);
      EXPECT_NEAR(found.objective, static_cast<double>(objective),
                  unit * static_cast<double>(size_of_objective));
      std::vector<double> scratch(SolverKernel::scratch_size(c.columns));
      EXPECT_NEAR(solver_kernel().objective(t.terms, t.r.data()), found.objective,
                  unit * static_cast<double>(size_of_objective));
      for (int j = 0; j < c.columns; ++j) {
        const double* column = t.jacobian.data() + j * t.stride;
        long double gradient = 0, size = 0;
        for (size_t i = 0; i < t.r.size(); ++i) {
          gradient += psi[i] * column[i];
          size += std::fabs(psi[i] * column[i]);
        }
        EXPECT_NEAR(found.gradient[static_cast<size_t>(j)], static_cast<double>(gradient),
                    unit * static_cast<double>(size));
        for (int k = 0; k < c.columns; ++k) {
          const double* other = t.jacobian.data() + k * t.stride;
          long double square = 0, size_of_square = 0;
          for (size_t i = 0; i < t.r.size(); ++i) {
            square += curvature[i] * column[i] * other[i];
            size_of_square += std::fabs(curvature[i] * column[i] * other[i]);
          }
          EXPECT_NEAR(found.hessian[static_cast<size_t>(j * c.columns + k)],
                      static_cast<double>(square), unit * static_cast<double>(size_of_square));
        }
      }
      for (size_t i = 0; i < t.r.size(); ++i) {
        long double moved = t.r[i], size = std::fabs(t.r[i]);
        for (int j = 0; j < c.columns; ++j) {
          const long double term = t.jacobian[static_cast<size_t>(j * t.stride) + i] *
                                   static_cast<long double>(t.step[static_cast<size_t>(j)]);
          moved += term;
          size += std::fabs(term);
        }
        EXPECT_NEAR(found.moved[i], static_cast<double>(moved),
                    std::ldexp(1.0, -53) * (c.columns + 2) * static_cast<double>(size));
      }
    }
  }
}

TEST(SolverKernel, EveryInstructionSetGivesTheSameBits) {
  for (const Case& c : kCases) {
    const Table t(c);
    const Sums plain = sums_of(solver_kernel(Isa::kPlain), c, t, 0.3);
    for (const Isa isa : {Isa::kAvx2, Isa::kAvx512}) {
      if (isa > best_isa()) continue;
      EXPECT_TRUE(sums_of(solver_kernel(isa), c, t, 0.3) == plain)
          << name_of(isa) << ", " << c.rows << " rows";
    }
  }
}

TEST(SolverKernel, AResidualThatIsNoNumberGivesAnObjectiveThatIsNone) {
  const Case c{70, 2, false, false, 1e-3};
  Table t(c);
  t.r[69] = std::nan("");
  EXPECT_TRUE(std::isnan(solver_kernel().objective(t.terms, t.r.data())));
}

}  // namespace
}  // namespace bitlaw
