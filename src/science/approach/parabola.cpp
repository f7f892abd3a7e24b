#include "approach/parabola.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace bitlaw {

double Parabola::at(double x) const {
  const double u = x - middle;
  return coefficients[0] + u * (coefficients[1] + u * coefficients[2]);
}

std::optional<double> Parabola::minimum() const {
  if (!(coefficients[2] > 0)) return std::nullopt;
  return middle - coefficients[1] / (2 * coefficients[2]);
}

std::optional<Parabola> fit_parabola(std::span<const double> x, std::span<const double> y) {
  const auto points = static_cast<Eigen::Index>(x.size());
  if (std::set<double>(x.begin(), x.end()).size() < 3) return std::nullopt;
  Parabola out;
  out.middle = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  Eigen::MatrixX3d powers(points, 3);
  for (Eigen::Index i = 0; i < points; ++i) {
    const double u = x[i] - out.middle;
    powers.row(i) << 1, u, u * u;
  }
  const Eigen::ColPivHouseholderQR<Eigen::MatrixX3d> qr(powers);
  if (qr.rank() < 3) return std::nullopt;
  out.solver = qr.solve(Eigen::MatrixXd::Identity(points, points));
  out.covariance = out.solver * out.solver.transpose();
  out.leverage = (powers * out.solver).diagonal();
  out.coefficients = out.solver * Eigen::Map<const Eigen::VectorXd>(y.data(), points);
  out.squares = (Eigen::Map<const Eigen::VectorXd>(y.data(), points) - powers * out.coefficients)
                    .squaredNorm();
  return out;
}

Parabola refit(const Parabola& fitted, std::span<const double> y) {
  Parabola out;
  out.middle = fitted.middle;
  out.coefficients = fitted.solver * Eigen::Map<const Eigen::VectorXd>(
                                         y.data(), static_cast<Eigen::Index>(y.size()));
  return out;
}

std::optional<VertexInterval> vertex_interval(const Parabola& parabola, double deviation,
                                              double reach) {
  const double slope = parabola.coefficients[1], bend = parabola.coefficients[2];
  const Eigen::Matrix3d error =
      parabola.covariance * (deviation * reach) * (deviation * reach);  // times the squared reach
  // (slope + 2 bend u)^2 <= error of it: a u^2 + 2 b u + c <= 0.
  const double a = 4 * (bend * bend - error(2, 2)), b = 2 * (slope * bend - error(1, 2)),
               c = slope * slope - error(1, 1);
  if (!(bend > 0) || !(a > 0)) return std::nullopt;
  const double root = std::sqrt(std::max(0.0, b * b - a * c));
  return VertexInterval{parabola.middle + (-b - root) / a, parabola.middle + (-b + root) / a};
}

double vertex_error(const Parabola& parabola, double deviation) {
  const double slope = parabola.coefficients[1], bend = parabola.coefficients[2];
  const Eigen::Vector2d gradient(-1 / (2 * bend), slope / (2 * bend * bend));
  const Eigen::Matrix2d covariance = parabola.covariance.block<2, 2>(1, 1);
  return deviation * std::sqrt(gradient.dot(covariance * gradient));
}

}  // namespace bitlaw
