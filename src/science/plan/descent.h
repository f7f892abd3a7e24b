// Newton's method in a handful of dimensions from a point that is already close, with gradient and
// Hessian from differences:
//
//   x <- x - (H + mu I)^-1 g,    inside a box
//
// mu grows until a step goes down. The gradient is of fourth order in h, so the minimum is located
// far better than by comparing values. One round costs 1 + 4 K + 2 K (K - 1) values of f for K free
// coordinates, and three or four rounds are enough. This makes a plan for each of 400 bootstrap
// draws cheap.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

namespace bitlaw {

inline constexpr int kMostCoordinates = 5;

struct Coordinate {
  double low, high;  // limits
  double h;          // step of the differences
};

struct Valley {
  std::array<double, kMostCoordinates> x{};
  double value = 0;
  bool found = false;  // the last step was too short to matter
};

namespace descent_detail {

using Vector = std::array<double, kMostCoordinates>;
using Matrix = std::array<Vector, kMostCoordinates>;

// Solves a step = -gradient by Cholesky; false if a is not positive definite.
inline bool solve(Matrix a, const Vector& gradient, int count, Vector& step) {
  for (int j = 0; j < count; ++j) {
    for (int k = 0; k < j; ++k) a[j][j] -= a[j][k] * a[j][k];
    if (!(a[j][j] > 0)) return false;
    a[j][j] = std::sqrt(a[j][j]);
    for (int i = j + 1; i < count; ++i) {
      for (int k = 0; k < j; ++k) a[i][j] -= a[i][k] * a[j][k];
      a[i][j] /= a[j][j];
    }
  }
  for (int i = 0; i < count; ++i) {
    step[i] = -gradient[i];
    for (int k = 0; k < i; ++k) step[i] -= a[i][k] * step[k];
    step[i] /= a[i][i];
  }
  for (int i = count - 1; i >= 0; --i) {
    for (int k = i + 1; k < count; ++k) step[i] -= a[k][i] * step[k];
    step[i] /= a[i][i];
  }
  return true;
}

}  // namespace descent_detail

// f takes an array of `count` coordinates and may be +inf.
template <class F>
Valley descend(const F& f, const std::array<double, kMostCoordinates>& start,
               const std::array<Coordinate, kMostCoordinates>& box, int count) {
  using descent_detail::Matrix;
  using descent_detail::Vector;
  Valley valley{start, f(start), false};
  if (!std::isfinite(valley.value)) return valley;
  for (int round = 0; round < 40; ++round) {
    Vector gradient{};
    Matrix hessian{};
    const auto at = [&](int i, double by_i, int j, double by_j) {
      Vector x = valley.x;
      x[i] += by_i * box[i].h;
      if (j >= 0) x[j] += by_j * box[j].h;
      return f(x);
    };
    for (int i = 0; i < count; ++i) {
      const double up = at(i, 1, -1, 0), down = at(i, -1, -1, 0);
      const double far = at(i, 2, -1, 0) - at(i, -2, -1, 0);
      gradient[i] = (8 * (up - down) - far) / 12;  // in units of h
      hessian[i][i] = up - 2 * valley.value + down;
    }
    // A coordinate at the edge of its box, pressing outwards, stays there.
    std::array<int, kMostCoordinates> free{};
    int moving = 0;
    for (int i = 0; i < count; ++i) {
      const bool held = (valley.x[i] <= box[i].low && gradient[i] > 0) ||
                        (valley.x[i] >= box[i].high && gradient[i] < 0);
      if (!held) free[moving++] = i;
    }
    if (moving == 0) {
      valley.found = true;
      return valley;
    }
    Matrix a{};
    Vector g{}, step{};
    double largest = 0;
    for (int r = 0; r < moving; ++r) {
      const int i = free[r];
      g[r] = gradient[i];
      a[r][r] = hessian[i][i];
      largest = std::max(largest, std::fabs(a[r][r]));
      for (int c = 0; c < r; ++c) {
        const int j = free[c];
        a[r][c] = a[c][r] =
            (at(i, 1, j, 1) - at(i, 1, j, -1) - at(i, -1, j, 1) + at(i, -1, j, -1)) / 4;
      }
    }
    if (!std::isfinite(largest)) return valley;
    bool moved = false;
    double mu = 0, longest = 0;
    for (int attempt = 0; attempt < 12 && !moved; ++attempt) {
      Matrix damped = a;
      for (int r = 0; r < moving; ++r) damped[r][r] += mu;
      mu = mu == 0 ? 1e-3 * largest : 10 * mu;
      if (!descent_detail::solve(damped, g, moving, step)) continue;
      Vector x = valley.x;
      longest = 0;
      for (int r = 0; r < moving; ++r) {
        const int i = free[r];
        x[i] = std::clamp(x[i] + step[r] * box[i].h, box[i].low, box[i].high);
        longest = std::max(longest, std::fabs(x[i] - valley.x[i]) / box[i].h);
      }
      const double value = f(x);
      // Within a hundredth of h, values no longer distinguish up from down, but the gradient does.
      if (value < valley.value || (longest < 0.05 && std::isfinite(value))) {
        valley.x = x, valley.value = value;
        moved = true;
      }
    }
    if (!moved) return valley;
    if (longest < 1e-3) {
      valley.found = true;
      return valley;
    }
  }
  return valley;
}

}  // namespace bitlaw
