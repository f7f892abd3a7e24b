// The cost of a matrix product at fewer bits, relative to 16.
#pragma once

#include <vector>

#include "plan/precision.h"

namespace bitlaw {

// Linear (bits / 16), or the inverse of a speed-up table. Linear and table costs of a mixture are
// the mean over weights, activations and KV (over the first two for a class that does not define
// KV, such as W4A4). A device runs a product at the wider of its two operands, weights and
// activations (the products of attention are not in 6 N D).
struct CostModel {
  struct Step {
    double bits, speed_up;
  };
  std::vector<Step> steps;  // by ascending bits; empty = linear. P bits run as the next wider step.
  bool wider_operand = false;

  bool is_linear() const { return steps.empty() && !wider_operand; }

  double of(double bits) const;  // infinite above the widest step
  double of(const Bits& bits, bool counts_kv = true) const;
  // Of training: a forward pass is a third of 6 N D, the backward pass the rest.
  double of(const Precision& precision) const;
  // Of a forward pass with the weights at post_bits, if that is positive and fewer.
  double of_serving(const Precision& precision, double post_bits) const;
};

}  // namespace bitlaw
