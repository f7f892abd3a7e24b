#include "fit/starts.h"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace bitlaw {
namespace {

// The positive root of x^(d+1) = x + 1.
double generalised_golden_ratio(int d) {
  double x = 1.5;
  for (int i = 0; i < 60; ++i) x = std::pow(1 + x, 1.0 / (d + 1));
  return x;
}

double fewest_bits(const std::vector<Observation>& rows, Quantity of) {
  const auto bits = [of](const Observation& row) {
    switch (of) {
      case Quantity::kWeightBits:
        return row.bits_weights;
      case Quantity::kActivationBits:
        return row.bits_activations;
      case Quantity::kKeyBits:
        return row.key_bits();
      case Quantity::kValueBits:
        return row.value_bits();
      case Quantity::kEmbeddingBits:
        return row.bits_embedding;
      case Quantity::kHeadBits:
        return row.bits_head;
      default:
        return row.bits_kv;
    }
  };
  double fewest = kUnquantizedBits;
  for (const Observation& row : rows) fewest = std::fmin(fewest, bits(row));
  return fewest;
}

// The best non-negative combination of `columns` for all ones, trying each subset of them (a law is
// linear in three or four constants). What is left out gets a thousandth of the fit.
Vector combination(const Matrix& columns, const Vector& target) {
  const int k = static_cast<int>(columns.cols());
  Vector best = Vector::Zero(k);
  double best_error = std::numeric_limits<double>::infinity();
  for (unsigned subset = 1; subset < 1u << k; ++subset) {
    std::vector<int> chosen;
    for (int j = 0; j < k; ++j) {
      if (subset >> j & 1) chosen.push_back(j);
    }
    const Eigen::MatrixXd part = columns(Eigen::all, chosen);
    const Vector solution = part.colPivHouseholderQr().solve(target);
    const double error = (part * solution - target).squaredNorm();
    if (!solution.allFinite() || solution.minCoeff() <= 0 || error >= best_error) continue;
    best_error = error;
    best.setZero();
    for (size_t j = 0; j < chosen.size(); ++j) best[chosen[j]] = solution[static_cast<long>(j)];
  }
  for (int j = 0; j < k; ++j) {
    const double size = columns.col(j).cwiseAbs().mean();
    if (best[j] <= 0 && size > 0) best[j] = 1e-3 * target.cwiseAbs().mean() / size;
  }
  return best;
}

// Sets the free linear constants so that the law comes nearest to the losses, relatively.
void solve_linear(const Law& law, const std::vector<Observation>& rows,
                  const std::vector<int>& free, double floor, std::vector<double>& values) {
  std::vector<int> linear;
  for (const int i : free) {
    if (law.parameters[i].linear) linear.push_back(i);
  }
  if (linear.empty()) return;
  const Rows inputs(law, rows);
  const long count = static_cast<long>(rows.size());
  Vector predicted(static_cast<long>(inputs.stride()));
  Matrix jacobian(static_cast<long>(inputs.stride()), static_cast<long>(law.training_parameters));
  evaluate_loss(law, values.data(), inputs, predicted.data(), jacobian.data());
  // A row counts by its loss, or a difference by its error.
  std::vector<double> unit(rows.size());
  if (is_of_differences(law, Stage::kTraining)) {
    const std::vector<DeltaScale> scales = delta_scales(law, rows, floor);
    for (size_t i = 0; i < rows.size(); ++i) unit[i] = scales[i].error;
  } else {
    for (size_t i = 0; i < rows.size(); ++i) unit[i] = measured(law, rows[i]);
  }
  Matrix columns(count, static_cast<long>(linear.size()));
  Vector target(count);
  for (long i = 0; i < count; ++i) {
    double rest = predicted[i];  // of the constants that stay
    for (size_t j = 0; j < linear.size(); ++j) {
      columns(i, static_cast<long>(j)) = jacobian(i, linear[j]) / unit[static_cast<size_t>(i)];
      rest -= jacobian(i, linear[j]) * values[linear[j]];
    }
    target[i] = (measured(law, rows[static_cast<size_t>(i)]) - rest) / unit[static_cast<size_t>(i)];
  }
  if (!columns.allFinite() || !target.allFinite()) return;
  if (linear.size() > 8) return;  // too many subsets
  const Vector solution = combination(columns, target);
  for (size_t j = 0; j < linear.size(); ++j) {
    if (solution[static_cast<long>(j)] > 0) values[linear[j]] = solution[static_cast<long>(j)];
  }
}

// Multiplies the constant that delta is proportional to so that predictions and measurements agree on average; keeps the other constants.
void match_scale(const Law& law, const std::vector<Observation>& rows,
                 const ResidualSettings& settings, std::vector<double>& values) {
  int scale = -1;
  for (size_t i = law.training_parameters; i < law.parameters.size(); ++i) {
    if (law.parameters[i].linear) scale = static_cast<int>(i);
  }
  if (scale < 0) return;
  const std::vector<DeltaScale> scales = delta_scales(law, rows, settings.floor);
  double sum = 0;
  int count = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const double predicted = predict_delta(law, values.data(), rows[i]);
    if (!scales[i].logarithmic || !(predicted > 0) || !std::isfinite(predicted)) continue;
    sum += std::log(rows[i].delta_nats / predicted);
    ++count;
  }
  if (count > 0) values[scale] *= std::exp(sum / count);
}

}  // namespace

Vector starting_point(const Law& law, const std::vector<Observation>& rows,
                      const Coordinates& coordinates, const ResidualSettings& settings, int index,
                      uint64_t seed) {
  std::vector<double> values = coordinates.base();
  if (index > 0) {
    const double ratio = generalised_golden_ratio(coordinates.size());
    Vector x = coordinates.from_values(values);
    double stride = 1;
    for (int j = 0; j < coordinates.size(); ++j) {
      stride /= ratio;
      const Parameter& p = law.parameters[coordinates.free()[j]];
      const double place = random_uniform(seed, 0, j) + index * stride;
      const double share = place - std::floor(place);
      if (p.scale == Scale::kLog) {
        x[j] = coordinates.coordinate(j, p.start_low * std::pow(p.start_high / p.start_low, share));
        continue;
      }
      double high = p.start_high;
      if (p.scale == Scale::kTimesLast) high = std::min(high, fewest_bits(rows, p.needs.of) - 0.1);
      x[j] = p.start_low + share * (high - p.start_low);
    }
    values = coordinates.values(x.cwiseMax(coordinates.low()).cwiseMin(coordinates.high()));
  }
  if (settings.stage == Stage::kTraining) {
    solve_linear(law, rows, coordinates.free(), settings.floor, values);
  } else {
    match_scale(law, rows, settings, values);
  }
  return coordinates.from_values(values);
}

}  // namespace bitlaw
