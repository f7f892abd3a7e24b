// Chooses the next experiments from a list, for the smallest uncertainty within a budget.
//
// The information of rows on k coordinates is M = sum g' g over rows, g the derivatives of a row's
// residual in standard errors. V = M^-1 is the covariance (of a linear model, and of any model near
// its fit). An experiment adds rows G:
//
//   V' = V - V G' (I + G V G')^-1 G V
//
// The spread to minimise is the standard error of one direction, sqrt(c' V c) (c-optimal), or
// without a direction the geometric mean over all of them, det(V)^(1 / 2k) (D-optimal).
#pragma once

#include <cstdint>
#include <vector>

#include "solve/solver.h"

namespace bitlaw {

struct Experiment {
  Matrix rows;      // G: a row of the experiment, a column per coordinate
  double cost = 0;  // above zero
};

// c: a direction, or empty for all of them.
double spread_of(const Matrix& covariance, const Vector& c);
Matrix covariance_after(const Matrix& covariance, const Experiment& experiment);

struct Selection {
  std::vector<int> chosen;      // positions in the list, repeats allowed; most effective per cost
                                // first
  std::vector<double> spreads;  // after each of them
  double cost = 0;
};

// At most `count` experiments within `budget`. Greedy choices by the decrease of the log spread
// over cost^e, for several e from 0 to 1; the best is improved by exchanges until none helps.
Selection select_experiments(const Matrix& covariance, const Vector& c,
                             const std::vector<Experiment>& experiments, double budget, int count);

// Random choices within the same limits: the median spread of 101.
double spread_of_random_choices(const Matrix& covariance, const Vector& c,
                                const std::vector<Experiment>& experiments, double budget,
                                int64_t count, uint64_t seed);

}  // namespace bitlaw
