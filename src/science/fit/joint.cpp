#include "fit/joint.h"

#include <algorithm>
#include <cmath>

#include "base/statistics.h"

namespace bitlaw {

std::vector<int> JointSetup::free() const {
  std::vector<int> out = training.free;
  out.insert(out.end(), post.free.begin(), post.free.end());
  std::sort(out.begin(), out.end());
  return out;
}

double training_noise(const StageSetup& training, const std::vector<Observation>& rows,
                      const std::vector<double>& values) {
  std::vector<double> sizes = log_residuals(*training.law, Stage::kTraining, values, rows);
  for (double& size : sizes) size = std::fabs(size);
  const double count = static_cast<double>(sizes.size());
  const double left = std::max(1.0, count - static_cast<double>(training.free.size()));
  constexpr double kNormal = 1.4826;  // the median of |x| of a unit Gaussian is 1 / 1.4826
  return std::max(1e-9, kNormal * upper_median(sizes) * std::sqrt(count / left));
}

StageMinimum fit_joint(const JointSetup& setup, const std::vector<Observation>& training_rows,
                       const std::vector<Observation>& post_rows, const std::vector<double>& values,
                       const std::vector<double>& weights) {
  const Coordinates coordinates(*setup.training.law, values, setup.free(), setup.training.tied_to);
  const auto part = [&](const StageSetup& stage, const std::vector<Observation>& rows,
                        size_t first) {
    std::vector<double> own;
    if (!weights.empty()) {
      own.assign(weights.begin() + static_cast<long>(first),
                 weights.begin() + static_cast<long>(first + rows.size()));
    }
    return make_problem(*stage.law, rows, coordinates, stage.settings, own);
  };
  const ResidualProblem training = part(setup.training, training_rows, 0);
  const ResidualProblem post = part(setup.post, post_rows, training_rows.size());

  ResidualProblem both;
  both.rows = training.rows + post.rows;
  both.low = training.low, both.high = training.high;
  both.thresholds.resize(both.rows);
  both.thresholds << Vector::Constant(training.rows, training.huber),
      Vector::Constant(post.rows, post.huber);
  both.weights.resize(both.rows);
  both.weights << training.weights / (setup.noise * setup.noise), post.weights;
  both.evaluate = [&](const Vector& x, Vector& r, Matrix* jacobian) {
    Vector upper(training.rows), lower(post.rows);
    Matrix upper_jacobian, lower_jacobian;
    if (jacobian) {
      upper_jacobian.resize(training.rows, x.size());
      lower_jacobian.resize(post.rows, x.size());
    }
    if (!training.evaluate(x, upper, jacobian ? &upper_jacobian : nullptr) ||
        !post.evaluate(x, lower, jacobian ? &lower_jacobian : nullptr)) {
      return false;
    }
    r << upper, lower;
    if (jacobian) *jacobian << upper_jacobian, lower_jacobian;
    return true;
  };
  const Minimum minimum =
      minimise_residuals(both, coordinates.from_values(values), SolverOptions());
  return stage_minimum(coordinates, minimum);
}

}  // namespace bitlaw
