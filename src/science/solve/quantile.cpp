#include "solve/quantile.h"

#include <algorithm>
#include <cmath>

#include "base/search.h"

namespace bitlaw {
namespace {

// Lentz's method for the continued fraction of I_x(a, b); converges fast if x < (a + 1) / (a + b
// + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto away = [](double value) { return std::fabs(value) < kTiny ? kTiny : value; };
  double c = 1, d = 1 / away(1 - (a + b) * x / (a + 1)), value = d;
  for (int m = 1; m < 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d), c = away(1 + even / c), value *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d), c = away(1 + odd / c), value *= c * d;
    if (std::fabs(c * d - 1) < 1e-16) break;
  }
  return value;
}

// I_x(a, b), the regularised incomplete beta function.
double beta_share(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                   : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

}  // namespace

double normal_share(double z) {
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

double t_share(double t, double freedom) {
  if (freedom > 1e7) return normal_share(t);
  const double squared = t * t;
  if (squared < freedom) {  // near the middle, where 1 - tail would cancel
    const double half = 0.5 * beta_share(0.5, freedom / 2, squared / (freedom + squared));
    return t > 0 ? 0.5 + half : 0.5 - half;
  }
  const double tail = 0.5 * beta_share(freedom / 2, 0.5, freedom / (freedom + squared));
  return t > 0 ? 1 - tail : tail;
}

double t_quantile(double share, double freedom) {
  double low = -1, high = 1;
  while (t_share(low, freedom) > share) low *= 2;
  while (t_share(high, freedom) < share) high *= 2;
  const Bracket found =
      bisect([&](double t) { return t_share(t, freedom) < share; }, low, high, 200, 1e-15);
  return 0.5 * (found.low + found.high);
}

double expanded_level(double level, int clusters, int constants) {
  if (clusters < 2) return level;
  const double n = clusters, freedom = std::max(1.0, n - std::max(1, constants));
  const double reach = std::sqrt(n / freedom) * t_quantile(0.5 + 0.5 * level, freedom);
  return 1 - 2 * normal_share(-reach);
}

double f_share_above(double f, double numerator, double denominator) {
  if (!(f > 0)) return 1;
  return beta_share(denominator / 2, numerator / 2, denominator / (denominator + numerator * f));
}

}  // namespace bitlaw
