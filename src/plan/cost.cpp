#include "plan/cost.h"

#include <algorithm>
#include <limits>

namespace bitlaw {

double CostModel::of(double bits) const {
  if (steps.empty()) return bits / kUnquantizedBits;
  for (const Step& step : steps) {
    if (bits <= step.bits) return 1 / step.speed_up;
  }
  return std::numeric_limits<double>::infinity();
}

double CostModel::of(const Bits& bits) const {
  if (wider_operand) return of(std::max(bits.weights, bits.activations));
  return (of(bits.weights) + of(bits.activations) + of(bits.kv)) / 3;
}

double CostModel::of(const Precision& precision) const {
  if (precision.format == nullptr || !precision.format->own_gradients) return of(precision.bits);
  return (of(precision.bits) + 2 * of(precision.format->gradient_bits)) / 3;
}

}  // namespace bitlaw
