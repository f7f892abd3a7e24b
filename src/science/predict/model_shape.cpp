#include "predict/model_shape.h"

#include <cmath>

namespace bitlaw {
double ModelShape::width_of(double matrices) const {
  return width > 0 ? width : kUsualWidthAtOne * std::pow(matrices, kUsualWidthExponent);
}

FixedParams ModelShape::fixed_params() const {
  if (measured.is_known()) return measured;
  const double rows = (tied_head ? 1 : 2) * vocabulary;
  if (width > 0) return {.scale = rows * width, .exponent = 0};
  return {.scale = rows * kUsualWidthAtOne, .exponent = kUsualWidthExponent};
}

double ModelShape::embedding(double matrices) const {
  return fixed_params().fixed(matrices) * (tied_head ? 1 : 0.5);
}

double ModelShape::head(double matrices) const {
  return tied_head ? 0 : embedding(matrices);
}

double ModelShape::matrices_of_total(double params) const {
  return fixed_params().matrices_of_total(params);
}

}  // namespace bitlaw
