#include "fit/residuals.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "base/statistics.h"
#include "fit/residual_kernel.h"

namespace bitlaw {
namespace {

// The standard error assumed for a row without a measured one: the median of those that are
// known, or else the least positive delta, as one can hardly have measured finer than that.
double usual_error(const std::vector<Observation>& rows) {
  std::vector<double> known;
  double least = std::numeric_limits<double>::infinity();
  for (const Observation& row : rows) {
    if (row.delta_standard_error > 0) known.push_back(row.delta_standard_error);
    if (row.delta_nats > 0) least = std::min(least, row.delta_nats);
  }
  if (known.empty()) return std::isfinite(least) ? least : 1;
  return upper_median(std::move(known));
}

}  // namespace

std::vector<DeltaScale> delta_scales(const std::vector<Observation>& rows, double floor) {
  const double usual = usual_error(rows);
  std::vector<DeltaScale> scales;
  for (const Observation& row : rows) {
    const double of_law = floor * std::fabs(row.delta_nats);
    const bool known = row.delta_standard_error > 0;
    const double measured = known ? row.delta_standard_error : row.delta_nats > 0 ? of_law : usual;
    scales.push_back({row.delta_nats > 0 && measured <= of_law, std::max(measured, of_law)});
  }
  return scales;
}

std::vector<double> error_weights(const std::vector<Observation>& rows) {
  std::vector<double> relative;
  for (const Observation& row : rows) {
    const double error = row.loss_standard_error / row.loss_nats;
    if (!(error > 0)) {
      throw Error(
          "weights: standard-error needs a positive loss_standard_error in every row; fill in the "
          "column, or use weights none");
    }
    relative.push_back(error);
  }
  const double usual = upper_median(relative);
  for (double& error : relative) error = (usual / error) * (usual / error);
  return relative;
}

ResidualProblem make_problem(const Law& law, const std::vector<Observation>& runs,
                             const Coordinates& coordinates, const ResidualSettings& settings,
                             const std::vector<double>& weights) {
  const bool post = settings.stage == Stage::kPost;
  const long width = static_cast<long>(post ? law.parameters.size() : law.training_parameters);
  const auto rows = std::make_shared<const Rows>(law, runs);
  const long count = static_cast<long>(runs.size()), padded = static_cast<long>(rows->stride());

  // r = scale * (link(prediction) - target), link = log or identity.
  struct Links {
    Vector logarithmic, target, scale;  // logarithmic: 1 or 0
  };
  Links links{Vector(padded), Vector(padded), Vector(padded)};
  const std::vector<DeltaScale> scales =
      post ? delta_scales(runs, settings.floor) : std::vector<DeltaScale>();
  for (long i = 0; i < padded; ++i) {
    const size_t row = static_cast<size_t>(std::min(i, count - 1));
    const double value = post ? runs[row].delta_nats : measured(law, runs[row]);
    const bool logarithmic = post ? scales[row].logarithmic : !settings.linear;
    links.logarithmic[i] = logarithmic ? 1 : 0;
    links.target[i] = logarithmic ? std::log(value) : value;
    links.scale[i] = !post ? 1 : (logarithmic ? value : 1) / scales[row].error;
  }

  ResidualProblem problem;
  problem.rows = static_cast<int>(padded);
  problem.low = coordinates.low();
  problem.high = coordinates.high();
  problem.scale = Vector::Ones(coordinates.size());
  problem.huber = settings.huber;
  problem.weights = Vector::Zero(padded);
  problem.weights.head(count).setOnes();
  const auto times = [&](const std::vector<double>& more) {
    for (size_t i = 0; i < more.size(); ++i) problem.weights[static_cast<long>(i)] *= more[i];
  };
  times(weights);
  if (settings.weighted && !post) times(error_weights(runs));
  problem.evaluate = [&law, &coordinates, post, rows, width, padded, links = std::move(links)](
                         const Vector& x, Vector& r, Matrix* jacobian) {
    thread_local Matrix of_values;
    thread_local Vector slope;
    const std::vector<double> values = coordinates.values(x);
    if (jacobian) of_values.resize(padded, width), slope.resize(padded);
    (post ? evaluate_delta : evaluate_loss)(law, values.data(), *rows, r.data(),
                                            jacobian ? of_values.data() : nullptr);
    const ResidualKernel& kernel = residual_kernel();
    if (!kernel.link(padded, links.logarithmic.data(), links.target.data(), links.scale.data(),
                     r.data(), jacobian ? slope.data() : nullptr)) {
      return false;
    }
    if (!jacobian) return true;
    const Matrix chain = coordinates.derivative(
        Eigen::Map<const Vector>(values.data(), static_cast<long>(values.size())));
    thread_local std::vector<double> factors;
    thread_local std::vector<const double*> columns;
    for (long j = 0; j < chain.cols(); ++j) {
      factors.clear(), columns.clear();
      for (long i = 0; i < width; ++i) {
        if (chain(i, j) == 0) continue;
        factors.push_back(chain(i, j));
        columns.push_back(of_values.col(i).data());
      }
      kernel.combine(padded, slope.data(), static_cast<int>(factors.size()), factors.data(),
                     columns.data(), jacobian->col(j).data());
    }
    return true;
  };
  return problem;
}

bool is_clear_delta(const Observation& row) {
  constexpr double kClear = 5;
  const double error = row.delta_standard_error > 0 ? row.delta_standard_error : 0;
  return row.delta_nats > kClear * error;
}

std::vector<double> log_residuals(const Law& law, Stage stage, const std::vector<double>& values,
                                  const std::vector<Observation>& runs) {
  const bool post = stage == Stage::kPost;
  if (runs.empty()) return {};
  const Rows rows(law, runs);
  std::vector<double> out(rows.stride());
  (post ? evaluate_delta : evaluate_loss)(law, values.data(), rows, out.data(), nullptr);
  out.resize(runs.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    const double value = post ? runs[i].delta_nats : measured(law, runs[i]);
    const bool noise = post && !is_clear_delta(runs[i]);
    out[i] = noise ? kUnknown : std::log(out[i]) - std::log(value);
  }
  return out;
}

}  // namespace bitlaw
