#include "fit/sandwich.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "base/statistics.h"
#include "fit/bootstrap.h"

namespace bitlaw {

double share_within(const std::vector<double>& residuals, double threshold, int constants) {
  if (std::isinf(threshold) || residuals.empty()) return 1;
  std::vector<double> sizes;
  for (const double r : residuals) sizes.push_back(std::fabs(r));
  std::sort(sizes.begin(), sizes.end());
  // Silverman's bandwidth, with the normalised median for the spread.
  const double count = static_cast<double>(sizes.size());
  const double spread = upper_median(sizes) / 0.6745;
  const double window = std::max(threshold, 1.06 * spread * std::pow(count, -0.2));
  const auto share = [&](double size) {
    return static_cast<double>(std::upper_bound(sizes.begin(), sizes.end(), size) - sizes.begin()) /
           count;
  };
  const double met = (1 - share(threshold)) * constants / count;
  const double corrected = std::max(share(window) - met, 0.5 / count) / (1 - met);
  return std::max(corrected * threshold / window, 1e-6);
}

Matrix stable_inverse(const Matrix& symmetric) {
  const long k = symmetric.rows();
  Vector scale(k);
  for (long i = 0; i < k; ++i) {
    scale[i] = symmetric(i, i) > 0 ? 1 / std::sqrt(symmetric(i, i)) : 0;
  }
  const Eigen::SelfAdjointEigenSolver<Matrix> parts(scale.asDiagonal() * symmetric *
                                                    scale.asDiagonal());
  Matrix inverse = Matrix::Zero(k, k);
  for (long i = 0; i < k; ++i) {
    if (parts.eigenvalues()[i] < 1e-12) continue;
    const Vector direction = scale.asDiagonal() * parts.eigenvectors().col(i);
    inverse += direction * direction.transpose() / parts.eigenvalues()[i];
  }
  return inverse;
}

Sandwich sandwich_of(const StageSetup& setup, const std::vector<Observation>& rows,
                     const std::vector<double>& values) {
  const Coordinates coordinates(*setup.law, setup.base, setup.free, setup.tied_to);
  const ResidualProblem problem = make_problem(*setup.law, rows, coordinates, setup.settings);
  Vector residuals(problem.rows);
  Matrix jacobian(problem.rows, coordinates.size());
  problem.evaluate(coordinates.from_values(values), residuals, &jacobian);

  const long count = static_cast<long>(rows.size());
  const std::vector<double> of_rows(residuals.data(), residuals.data() + count);
  const Matrix products = jacobian.transpose() * problem.weights.asDiagonal() * jacobian;
  const std::vector<int> cluster = number_clusters(rows);
  const int clusters = 1 + *std::max_element(cluster.begin(), cluster.end());
  Matrix gradients = Matrix::Zero(coordinates.size(), clusters);
  double squares = 0;
  for (long i = 0; i < count; ++i) {
    const double slope = std::clamp(residuals[i], -problem.huber, problem.huber);
    squares += problem.weights[i] * slope * slope;
    gradients.col(cluster[static_cast<size_t>(i)]) +=
        problem.weights[i] * slope * jacobian.row(i).transpose();
  }

  Sandwich out;
  out.freedom = std::max(1, clusters - coordinates.size());
  out.curvature = share_within(of_rows, problem.huber, coordinates.size()) * products;
  const Matrix inverse = stable_inverse(out.curvature);
  const Matrix noise = clusters == count ? Matrix(squares / static_cast<double>(count) * products)
                                         : Matrix(gradients * gradients.transpose());
  out.covariance = clusters / out.freedom * inverse * noise * inverse;
  return out;
}

}  // namespace bitlaw
