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

double CostModel::of(const Bits& bits, bool counts_kv) const {
  if (wider_operand) return of(std::max(bits.weights, bits.activations));
  if (!counts_kv) return (of(bits.weights) + of(bits.activations)) / 2;
  return (of(bits.weights) + of(bits.activations) + of(bits.kv)) / 3;
}

double CostModel::of(const Precision& precision) const {
  if (precision.choice == nullptr) return of(precision.bits);
  const double forward = of(precision.bits, precision.choice->counts_kv);
  if (!precision.choice->own_gradients) return forward;
  return (forward + 2 * of(precision.choice->gradient_bits, precision.choice->counts_kv)) / 3;
}

double CostModel::of_serving(const Precision& precision, double post_bits) const {
  return of(serving_bits(precision.bits, post_bits),
            precision.choice == nullptr || precision.choice->counts_kv);
}

}  // namespace bitlaw
