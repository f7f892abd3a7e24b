// What a product of matrices costs at fewer bits, relative to 16.
#pragma once

#include <vector>

#include "plan/precision.h"

namespace bitlaw {

// Linear (bits / 16), or the inverse of a speed-up table. Linear and table costs of a mixture are
// the mean over weights, activations and KV; a device instead runs a product at the wider of its
// two operands, weights and activations (the products of attention are not in 6 N D).
struct CostModel {
  struct Step {
    double bits, speed_up;
  };
  std::vector<Step> steps;  // by rising bits; empty = linear. P bits run as the next wider step.
  bool wider_operand = false;

  double of(double bits) const;  // infinite above the widest step
  double of(const Bits& bits) const;
  // Of training: a forward pass is a third of 6 N D, the backward pass the rest.
  double of(const Precision& precision) const;
};

}  // namespace bitlaw
