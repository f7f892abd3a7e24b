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

bool predicts_no_delta(const Law& law, const Observation& row) {
  return row.is_post_training() && law.has_delta &&
         predict_delta(law, law.constants[0].values.data(), row) == 0;
}

std::vector<DeltaScale> delta_scales(const Law& law, const std::vector<Observation>& rows,
                                     double floor) {
  const double usual = usual_error(rows);
  std::vector<DeltaScale> scales;
  for (const Observation& row : rows) {
    const double of_law = floor * std::fabs(row.delta_nats);
    const bool known = row.delta_standard_error > 0;
    const double measured = known ? row.delta_standard_error : row.delta_nats > 0 ? of_law : usual;
    const bool by_ratio = row.delta_nats > 0 && measured <= of_law && !predicts_no_delta(law, row);
    scales.push_back({by_ratio, std::max(measured, of_law)});
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

StageResiduals::StageResiduals(const Law& law, const std::vector<Observation>& runs,
                               const ResidualSettings& settings)
    : law_(law),
      post_(settings.stage == Stage::kPost),
      differences_(is_of_differences(law, settings.stage)),
      width_(static_cast<long>(post_ ? law.parameters.size() : law.training_parameters)),
      settings_of_rows_(law, runs) {
  const long count = static_cast<long>(runs.size());
  padded_ = (count + 7) / 8 * 8;
  for (Vector* v : {&logarithmic_, &target_, &scale_}) v->resize(padded_);
  const std::vector<DeltaScale> scales =
      differences_ ? delta_scales(law, runs, settings.floor) : std::vector<DeltaScale>();
  for (long i = 0; i < padded_; ++i) {
    const size_t row = static_cast<size_t>(std::min(i, count - 1));
    const double value = post_ ? runs[row].delta_nats : measured(law, runs[row]);
    const bool logarithmic = differences_ ? scales[row].logarithmic : !settings.linear;
    logarithmic_[i] = logarithmic ? 1 : 0;
    target_[i] = logarithmic ? std::log(value) : value;
    scale_[i] = !differences_ ? 1 : (logarithmic ? value : 1) / scales[row].error;
  }
}

bool StageResiduals::at(const std::vector<double>& values, Vector& r) const {
  predict(values, r, nullptr);
  return link(r, nullptr);
}

bool StageResiduals::at(const Coordinates& coordinates, const Vector& x, Vector& r,
                        Matrix& jacobian) const {
  thread_local Matrix of_values;
  thread_local Vector slope, of_settings;
  const std::vector<double> values = coordinates.values(x);
  const long settings = settings_of_rows_.stride();
  of_values.resize(settings, width_), slope.resize(padded_), of_settings.resize(settings);
  predict(values, r, of_values.data());
  if (!link(r, slope.data())) return false;
  const Matrix chain = coordinates.derivative(
      Eigen::Map<const Vector>(values.data(), static_cast<long>(values.size())));
  const ResidualKernel& kernel = residual_kernel();
  thread_local std::vector<double> factors;
  thread_local std::vector<const double*> columns;
  thread_local Vector ones;
  if (!settings_of_rows_.all_differ()) ones.setOnes(settings);
  for (long j = 0; j < chain.cols(); ++j) {
    factors.clear(), columns.clear();
    for (long i = 0; i < width_; ++i) {
      if (chain(i, j) == 0) continue;
      factors.push_back(chain(i, j));
      columns.push_back(of_values.col(i).data());
    }
    const int count = static_cast<int>(factors.size());
    if (settings_of_rows_.all_differ()) {
      kernel.combine(padded_, slope.data(), count, factors.data(), columns.data(),
                     jacobian.col(j).data());
      continue;
    }
    kernel.combine(settings, ones.data(), count, factors.data(), columns.data(),
                   of_settings.data());
    const std::vector<int>& setting = settings_of_rows_.setting();
    double* const out = jacobian.col(j).data();
    for (long i = 0; i < padded_; ++i)
      out[i] = slope[i] * of_settings[setting[static_cast<size_t>(i)]];
  }
  return true;
}

// What the law gives, row by row; `of_values`: its derivatives, setting by setting, or null.
void StageResiduals::predict(const std::vector<double>& values, Vector& r,
                             double* of_values) const {
  const auto evaluate = post_ ? evaluate_delta : evaluate_loss;
  if (settings_of_rows_.all_differ()) {
    evaluate(law_, values.data(), settings_of_rows_.rows(), r.data(), of_values);
    return;
  }
  thread_local Vector of_settings;
  of_settings.resize(settings_of_rows_.stride());
  evaluate(law_, values.data(), settings_of_rows_.rows(), of_settings.data(), of_values);
  const std::vector<int>& setting = settings_of_rows_.setting();
  for (long i = 0; i < padded_; ++i) r[i] = of_settings[setting[static_cast<size_t>(i)]];
}

bool StageResiduals::link(Vector& r, double* slope) const {
  return residual_kernel().link(padded_, logarithmic_.data(), target_.data(), scale_.data(),
                                r.data(), slope);
}

Vector StageResiduals::weights(const std::vector<Observation>& runs,
                               const ResidualSettings& settings) const {
  Vector out = Vector::Zero(padded_);
  out.head(static_cast<long>(runs.size())).setOnes();
  if (!settings.weighted || differences_) return out;
  const std::vector<double> of_errors = error_weights(runs);
  for (size_t i = 0; i < of_errors.size(); ++i) out[static_cast<long>(i)] = of_errors[i];
  return out;
}

ResidualProblem make_problem(const Law& law, const std::vector<Observation>& runs,
                             const Coordinates& coordinates, const ResidualSettings& settings,
                             const std::vector<double>& weights) {
  const auto residuals = std::make_shared<const StageResiduals>(law, runs, settings);
  ResidualProblem problem;
  problem.rows = static_cast<int>(residuals->padded());
  problem.low = coordinates.low();
  problem.high = coordinates.high();
  problem.scale = Vector::Ones(coordinates.size());
  problem.huber = settings.huber;
  problem.weights = residuals->weights(runs, settings);
  for (size_t i = 0; i < weights.size(); ++i) problem.weights[static_cast<long>(i)] *= weights[i];
  problem.evaluate = [residuals, &coordinates](const Vector& x, Vector& r, Matrix* jacobian) {
    return jacobian ? residuals->at(coordinates, x, r, *jacobian)
                    : residuals->at(coordinates.values(x), r);
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
    const bool has_logarithm =
        !is_of_differences(law, stage) || (is_clear_delta(runs[i]) && out[i] != 0);
    out[i] = has_logarithm ? std::log(out[i]) - std::log(value) : kUnknown;
  }
  return out;
}

}  // namespace bitlaw
