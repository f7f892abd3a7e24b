// One-dimensional searches: a scan that brackets, then golden section or bisection. They need no
// derivatives and cannot fail, which is what a planner over any law wants.
#pragma once

#include <cmath>

namespace bitlaw {

struct Found {
  double x, value;
};

// The least f on [low, high]: the best of `grid` + 1 even points, refined between its neighbours.
// Exact to about 1e-8 of the interval where f is smooth there; an f that is +inf in places is fine.
template <class F>
Found minimise(const F& f, double low, double high, int grid = 64) {
  const double step = (high - low) / grid;
  Found best{low, f(low)};
  for (int i = 1; i <= grid; ++i) {
    const double x = low + i * step, value = f(x);
    if (value < best.value) best = {x, value};
  }
  constexpr double kGolden = 0.6180339887498949;
  double a = std::fmax(low, best.x - step), b = std::fmin(high, best.x + step);
  double left = b - kGolden * (b - a), right = a + kGolden * (b - a);
  double f_left = f(left), f_right = f(right);
  while (b - a > 1e-12 * (1 + std::fabs(a) + std::fabs(b))) {
    if (f_left <= f_right) {
      b = right, right = left, f_right = f_left;
      left = b - kGolden * (b - a), f_left = f(left);
    } else {
      a = left, left = right, f_left = f_right;
      right = a + kGolden * (b - a), f_right = f(right);
    }
  }
  const Found inside = f_left <= f_right ? Found{left, f_left} : Found{right, f_right};
  return inside.value <= best.value ? inside : best;
}

// A root of f on [low, high] to the last bits, where f changes sign; else the end with the smaller
// |f|.
template <class F>
double find_root(const F& f, double low, double high) {
  double f_low = f(low);
  const double f_high = f(high);
  if ((f_low < 0) == (f_high < 0)) return std::fabs(f_low) < std::fabs(f_high) ? low : high;
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    if (middle == low || middle == high) break;
    const double value = f(middle);
    if ((value < 0) == (f_low < 0)) {
      low = middle, f_low = value;
    } else {
      high = middle;
    }
  }
  return 0.5 * (low + high);
}

}  // namespace bitlaw
