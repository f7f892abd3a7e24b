#include "approach/power_line.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace bitlaw {
namespace {

constexpr double kExact = 1e-24;  // a variance: points without any error weigh alike

PowerLine weighted_line(std::span<const double> x, std::span<const double> y,
                        const std::vector<double>& w) {
  double sum = 0, mean_x = 0, mean_y = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += w[i], mean_x += w[i] * x[i], mean_y += w[i] * y[i];
  mean_x /= sum, mean_y /= sum;
  double xx = 0, xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += w[i] * (x[i] - mean_x) * (x[i] - mean_x);
    xy += w[i] * (x[i] - mean_x) * (y[i] - mean_y);
  }
  return {.middle = mean_x, .level = mean_y, .slope = xy / xx};
}

std::vector<double> weights(std::span<const double> variances, size_t count, double excess) {
  std::vector<double> out(count, 1);
  for (size_t i = 0; i < variances.size(); ++i)
    out[i] = 1 / std::max(variances[i] + excess * excess, kExact);
  return out;
}

}  // namespace

PowerLine refit_power_line(std::span<const double> log_x, std::span<const double> log_y,
                           std::span<const double> variances, double excess) {
  PowerLine out = weighted_line(log_x, log_y, weights(variances, log_x.size(), excess));
  out.excess = excess;
  return out;
}

PowerLine fit_power_line(std::span<const double> log_x, std::span<const double> log_y,
                         std::span<const double> variances) {
  const std::vector<double> w = weights(variances, log_x.size(), 0);
  const PowerLine line = weighted_line(log_x, log_y, w);
  if (variances.empty() || log_x.size() < 3) return line;
  // Cochran's Q, its expectation without excess, and how it grows with the excess variance.
  double q = 0, sum = 0, xx = 0, squares = 0, xx_squares = 0;
  for (size_t i = 0; i < log_x.size(); ++i) {
    const double u = log_x[i] - line.middle, residual = log_y[i] - line.at(log_x[i]);
    q += w[i] * residual * residual;
    sum += w[i], xx += w[i] * u * u;
    squares += w[i] * w[i], xx_squares += w[i] * w[i] * u * u;
  }
  const double expected = static_cast<double>(log_x.size()) - 2;
  const double growth =
      sum - squares / sum - xx_squares / xx;  // the cross terms vanish at the mean
  const double variance = growth > 0 ? std::max(0.0, (q - expected) / growth) : 0;
  return refit_power_line(log_x, log_y, variances, std::sqrt(variance));
}

}  // namespace bitlaw
