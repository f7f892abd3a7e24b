#include "predict/model_shape.h"

#include <algorithm>
#include <cmath>

namespace bitlaw {
namespace {

constexpr double kWidthAtOne = 0.5563, kWidthExponent = 0.39;

}  // namespace

double ModelShape::width_of(double matrices) const {
  return width > 0 ? width : kWidthAtOne * std::pow(matrices, kWidthExponent);
}

double ModelShape::embedding(double matrices) const {
  return vocabulary > 0 ? vocabulary * width_of(matrices) : 0;
}

double ModelShape::head(double matrices) const {
  return tied_head ? 0 : embedding(matrices);
}

double ModelShape::matrices_of_total(double params) const {
  if (!(vocabulary > 0)) return params;
  const double tables = tied_head ? 1 : 2;
  if (width > 0) return std::max(0.0, params - tables * vocabulary * width);
  // log(N + c N^0.39) is convex in log N: Newton's method from above never overshoots.
  double log_matrices = std::log(params);
  for (int i = 0; i < 200; ++i) {
    const double matrices = std::exp(log_matrices), fixed = tables * embedding(matrices);
    const double error = std::log((matrices + fixed) / params);
    const double slope = (matrices + kWidthExponent * fixed) / (matrices + fixed);
    log_matrices -= error / slope;
    if (std::fabs(error) < 1e-15) break;
  }
  return std::exp(log_matrices);
}

}  // namespace bitlaw
