#include "fit/coordinates.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace bitlaw {

Coordinates::Coordinates(const Law& law, std::vector<double> values, std::vector<int> free,
                         std::vector<int> tied_to)
    : law_(&law), values_(std::move(values)), free_(std::move(free)), tied_to_(std::move(tied_to)) {
  BITLAW_CHECK(values_.size() == law.parameters.size() && tied_to_.size() == values_.size());
  low_.resize(size());
  high_.resize(size());
  for (int j = 0; j < size(); ++j) {
    const Parameter& p = law.parameters[free_[j]];
    low_[j] = p.scale == Scale::kLog ? std::log(p.low) : p.low;
    high_[j] = p.scale == Scale::kLog ? std::log(p.high) : p.high;
  }
}

bool Coordinates::is_free(int parameter) const {
  return std::find(free_.begin(), free_.end(), parameter) != free_.end();
}

std::vector<double> Coordinates::values(const Vector& x) const {
  std::vector<double> out = values_;
  for (int j = 0; j < size(); ++j) {  // `free` rises, so the parameter before is already set
    const int i = free_[j];
    switch (law_->parameters[i].scale) {
      case Scale::kLog:
        out[i] = std::exp(x[j]);
        break;
      case Scale::kLinear:
        out[i] = x[j];
        break;
      case Scale::kTimesLast:
        out[i] = x[j] / out[i - 1];
        break;
    }
  }
  for (size_t i = 0; i < out.size(); ++i) {
    if (tied_to_[i] >= 0) out[i] = out[tied_to_[i]];
  }
  return out;
}

Matrix Coordinates::derivative(const Vector& values_at_x) const {
  Matrix out = Matrix::Zero(static_cast<long>(values_.size()), size());
  for (int j = 0; j < size(); ++j) {
    const int i = free_[j];
    switch (law_->parameters[i].scale) {
      case Scale::kLog:
        out(i, j) = values_at_x[i];
        break;
      case Scale::kLinear:
        out(i, j) = 1;
        break;
      case Scale::kTimesLast:
        out(i, j) = 1 / values_at_x[i - 1];
        // n = P0 / gamma falls as gamma, in logarithms the coordinate before, rises.
        if (j > 0 && free_[j - 1] == i - 1) {
          out(i, j - 1) = -values_at_x[i] / values_at_x[i - 1] * out(i - 1, j - 1);
        }
        break;
    }
  }
  for (size_t i = 0; i < values_.size(); ++i) {
    if (tied_to_[i] >= 0) out.row(static_cast<long>(i)) = out.row(tied_to_[i]);
  }
  return out;
}

Vector Coordinates::from_values(const std::vector<double>& values) const {
  Vector x(size());
  for (int j = 0; j < size(); ++j) {
    const int i = free_[j];
    const Scale scale = law_->parameters[i].scale;
    x[j] = scale == Scale::kLog      ? std::log(std::max(values[i], law_->parameters[i].low))
           : scale == Scale::kLinear ? values[i]
                                     : values[i] * values[i - 1];
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
