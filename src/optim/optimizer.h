// What an optimizer step needs to know, and how the learning rate of one shape becomes that of
// another:
//
//   rate(width, layers) = base_rate (64 / width)^a (2 / layers)^b
//
// a = 1 is the rule of muP for Adam and hidden matrices (Yang et al., "Tensor Programs V", 2022,
// table 8: the update of a row of `width` entries moves its output in proportion to the width), b =
// 1/2 that of its extension to depth (Yang et al., "Tensor Programs VI", 2023).
// docs/decisions/0002-learning-rate.md has the reasons for the exponents used here and how far the
// best rate was seen to transfer.
#pragma once

#include <cstdint>

namespace bitlaw {

inline constexpr double kReferenceWidth = 64;
inline constexpr double kReferenceLayers = 2;

// AdamW with decoupled decay (Loshchilov and Hutter, 2019); values of Kumar et al. (arXiv
// 2411.04330).
struct OptimizerConfig {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-15;
  double weight_decay = 0.1;  // of matrices; norms are not decayed
  double clip = 1.0;          // largest norm of the gradient of a step; 0: no clipping
  double width_power = 1.0;   // a
  double depth_power = 0.5;   // b

  template <class V>
  void visit(V& v) {
    v("beta1", beta1, "decay of the first moment");
    v("beta2", beta2, "decay of the second moment");
    v("epsilon", epsilon, "added to the root of the second moment");
    v("weight_decay", weight_decay, "decoupled weight decay, of matrices only");
    v("clip", clip, "largest gradient norm of a step; 0: no clipping");
    v("width_power", width_power, "a in rate = lr (64 / width)^a (2 / layers)^b");
    v("depth_power", depth_power, "b in rate = lr (64 / width)^a (2 / layers)^b");
  }

  void check() const;  // Error that names the key that is out of range
};

// The peak learning rate of a shape, from the base rate of width 64 and 2 layers.
double scaled_learning_rate(double base_rate, int64_t width, int64_t layers,
                            const OptimizerConfig& config);

// Factor that brings a gradient of this norm under `clip`: 1 where it already is (or clip is 0).
double clip_factor(double norm, double clip);

}  // namespace bitlaw
