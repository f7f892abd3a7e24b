// Settings of an optimizer step, and how the learning rate scales with the model's shape:
//
//   rate(width, layers) = base_rate (64 / width)^a (2 / layers)^b
//
// a = 1/2 is the rule of Vaswani et al. ("Attention is all you need", 2017, eq. 3: rate
// proportional to d^-0.5), b = 1/2 that of muP's extension to depth (Yang et al., "Tensor Programs
// VI", 2023). From width 32 to 96 and from 2 to 6 layers the best rate was measured to fall as
// width^-0.5 and layers^-0.3: docs/decisions/0002-learning-rate.md.
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
  double width_power = 0.5;   // a
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

  void check() const;  // Error, naming the key, if a value is out of range
};

// The peak learning rate of a shape; base_rate is that of width 64 and 2 layers.
double scaled_learning_rate(double base_rate, int64_t width, int64_t layers,
                            const OptimizerConfig& config);

// Factor that scales a gradient of this norm down to `clip`; 1 if it is already below, or clip is
// 0.
double clip_factor(double norm, double clip);

}  // namespace bitlaw
