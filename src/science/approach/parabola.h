// A parabola through points, and where its vertex lies: the curve of an isoFLOP budget.
#pragma once

#include <Eigen/Core>
#include <optional>
#include <span>

namespace bitlaw {

// Least squares of y against 1, x - middle and its square. Errors of y are independent and alike.
struct Parabola {
  double middle = 0;
  Eigen::Vector3d coefficients;  // of these
  Eigen::Matrix3d covariance;    // of the coefficients, for errors of variance 1
  Eigen::MatrixXd solver;        // coefficients = solver * y
  Eigen::VectorXd leverage;      // of each point: d fitted_i / d y_i
  double squares = 0;            // of the residuals

  double at(double x) const;
  // The vertex; empty if the parabola opens downwards.
  std::optional<double> minimum() const;
};

// Empty if there are fewer than three different x.
std::optional<Parabola> fit_parabola(std::span<const double> x, std::span<const double> y);

// With other y at the same x.
Parabola refit(const Parabola& fitted, std::span<const double> y);

// The set of x at which the parabola's slope may be zero (Fieller 1954): |slope(x)| is at most
// `reach` standard errors, where errors of y have the given deviation. It is bounded only if the
// curvature is known to be positive; otherwise empty.
struct VertexInterval {
  double low, high;
};
std::optional<VertexInterval> vertex_interval(const Parabola& parabola, double deviation,
                                              double reach);

// Standard error of the parabola's vertex by the delta method.
double vertex_error(const Parabola& parabola, double deviation);

}  // namespace bitlaw
