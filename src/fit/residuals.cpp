#include "fit/residuals.h"

#include <algorithm>
#include <cmath>

namespace bitlaw {
namespace {

// What stands for a row's standard error where nobody measured it: the median of those that are
// known, or else the least positive delta, as one can hardly have measured finer than that.
double usual_error(const std::vector<Observation>& rows) {
  std::vector<double> known;
  double least = std::numeric_limits<double>::infinity();
  for (const Observation& row : rows) {
    if (row.delta_standard_error > 0) known.push_back(row.delta_standard_error);
    if (row.delta_nats > 0) least = std::min(least, row.delta_nats);
  }
  if (known.empty()) return std::isfinite(least) ? least : 1;
  std::nth_element(known.begin(), known.begin() + known.size() / 2, known.end());
  return known[known.size() / 2];
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

ResidualProblem make_problem(const Law& law, const std::vector<Observation>& rows,
                             const Coordinates& coordinates, const ResidualSettings& settings,
                             std::vector<double> weights) {
  const bool post = settings.stage == Stage::kPost;
  const Evaluate evaluate = post ? law.delta : law.loss;
  const long width = static_cast<long>(post ? law.parameters.size() : law.training_parameters);
  const long count = static_cast<long>(rows.size());

  // r = scale_i * (link(prediction) - target_i), link = log or identity.
  struct Link {
    bool logarithmic;
    double target, scale;
  };
  std::vector<Link> links;
  if (post) {
    const std::vector<DeltaScale> scales = delta_scales(rows, settings.floor);
    for (size_t i = 0; i < rows.size(); ++i) {
      const double measured = rows[i].delta_nats;
      links.push_back(scales[i].logarithmic
                          ? Link{true, std::log(measured), measured / scales[i].error}
                          : Link{false, measured, 1 / scales[i].error});
    }
  } else {
    for (const Observation& row : rows) links.push_back({true, std::log(row.loss_nats), 1});
  }

  ResidualProblem problem;
  problem.rows = static_cast<int>(count);
  problem.low = coordinates.low();
  problem.high = coordinates.high();
  problem.huber = settings.huber;
  problem.weights = Eigen::Map<const Vector>(weights.data(), static_cast<long>(weights.size()));
  problem.evaluate = [&rows, &coordinates, evaluate, width, count, links = std::move(links)](
                         const Vector& x, Vector& r, Matrix* jacobian) {
    const std::vector<double> values = coordinates.values(x);
    Matrix of_values;
    if (jacobian) of_values.resize(count, width);
    evaluate(values.data(), rows.data(), rows.size(), r.data(),
             jacobian ? of_values.data() : nullptr);
    if (jacobian) {
      const Matrix chain = coordinates.derivative(
          Eigen::Map<const Vector>(values.data(), static_cast<long>(values.size())));
      *jacobian = of_values * chain.topRows(width);
    }
    for (long i = 0; i < count; ++i) {
      const Link& link = links[i];
      if (link.logarithmic && !(r[i] > 0)) return false;
      if (jacobian) jacobian->row(i) *= link.logarithmic ? link.scale / r[i] : link.scale;
      r[i] = link.scale * ((link.logarithmic ? std::log(r[i]) : r[i]) - link.target);
    }
    return r.allFinite();
  };
  return problem;
}

std::vector<double> log_residuals(const Law& law, Stage stage, const std::vector<double>& values,
                                  const std::vector<Observation>& rows) {
  const bool post = stage == Stage::kPost;
  std::vector<double> out(rows.size());
  (post ? law.delta : law.loss)(values.data(), rows.data(), rows.size(), out.data(), nullptr);
  for (size_t i = 0; i < rows.size(); ++i) {
    const double measured = post ? rows[i].delta_nats : rows[i].loss_nats;
    const double error = rows[i].delta_standard_error > 0 ? rows[i].delta_standard_error : 0;
    constexpr double kClear = 5;  // a logarithm is known to a fifth or better
    const bool noise = post && !(measured > kClear * error);
    out[i] = noise ? kUnknown : std::log(out[i]) - std::log(measured);
  }
  return out;
}

}  // namespace bitlaw
