#include "fit/coordinates.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace bitlaw {
namespace {

bool walks_by_logarithm(const Parameter& p) {
  constexpr double kNarrow = 21;
  return p.scale == Scale::kLog && p.start_high > kNarrow * p.start_low;
}

bool walks_straight(const Parameter& p) {
  return p.scale != Scale::kTimesLast && !walks_by_logarithm(p);
}

}  // namespace

Coordinates::Coordinates(const Law& law, std::vector<double> values, std::vector<int> free,
                         std::vector<int> tied_to)
    : law_(&law), values_(std::move(values)), free_(std::move(free)), tied_to_(std::move(tied_to)) {
  BITLAW_CHECK(values_.size() == law.parameters.size() && tied_to_.size() == values_.size());
  low_.resize(size());
  high_.resize(size());
  for (int j = 0; j < size(); ++j) {
    const Parameter& p = law.parameters[free_[j]];
    low_[j] = walks_by_logarithm(p) ? std::log(p.low) : p.low;
    high_[j] = walks_by_logarithm(p) ? std::log(p.high) : p.high;
  }
}

// Ties twice: a tied gamma must be known before an offset is divided by it, and an offset may be
// tied too.
std::vector<double> Coordinates::values(const Vector& x) const {
  std::vector<double> out = values_;
  const auto tie = [&] {
    for (size_t i = 0; i < out.size(); ++i) {
      if (tied_to_[i] >= 0) out[i] = out[tied_to_[i]];
    }
  };
  for (int j = 0; j < size(); ++j) {
    const int i = free_[j];
    if (walks_by_logarithm(law_->parameters[i])) out[i] = std::exp(x[j]);
    if (walks_straight(law_->parameters[i])) out[i] = x[j];
  }
  tie();
  for (int j = 0; j < size(); ++j) {
    const int i = free_[j];
    if (law_->parameters[i].scale == Scale::kTimesLast) out[i] = x[j] / out[i - 1];
  }
  tie();
  return out;
}

// The same steps, differentiated; d(x / p) = (dx - (x / p) dp) / p.
Matrix Coordinates::derivative(const Vector& values_at_x) const {
  Matrix out = Matrix::Zero(static_cast<long>(values_.size()), size());
  const auto tie = [&] {
    for (size_t i = 0; i < values_.size(); ++i) {
      if (tied_to_[i] >= 0) out.row(static_cast<long>(i)) = out.row(tied_to_[i]);
    }
  };
  for (int j = 0; j < size(); ++j) {
    const int i = free_[j];
    if (walks_by_logarithm(law_->parameters[i])) out(i, j) = values_at_x[i];
    if (walks_straight(law_->parameters[i])) out(i, j) = 1;
  }
  tie();
  for (int j = 0; j < size(); ++j) {
    const int i = free_[j];
    if (law_->parameters[i].scale != Scale::kTimesLast) continue;
    out.row(i) = -values_at_x[i] / values_at_x[i - 1] * out.row(i - 1);
    out(i, j) += 1 / values_at_x[i - 1];
  }
  tie();
  return out;
}

double Coordinates::coordinate(int j, double value) const {
  const Parameter& p = law_->parameters[free_[j]];
  return walks_by_logarithm(p) ? std::log(std::max(value, p.low)) : value;
}

Vector Coordinates::from_values(const std::vector<double>& values) const {
  Vector x(size());
  for (int j = 0; j < size(); ++j) {
    const int i = free_[j];
    const bool product = law_->parameters[i].scale == Scale::kTimesLast;
    x[j] = product ? values[i] * values[i - 1] : coordinate(j, values[i]);
  }
  return x.cwiseMax(low_).cwiseMin(high_);
}

std::vector<std::string> Coordinates::at_bounds(const Vector& x) const {
  std::vector<std::string> names;
  for (int j = 0; j < size(); ++j) {
    if (x[j] <= low_[j] || x[j] >= high_[j]) names.emplace_back(law_->parameters[free_[j]].name);
  }
  return names;
}

}  // namespace bitlaw
