// Settings of an optimizer step, and how the learning rate scales with the model's shape and the
// batch:
//
//   rate = base_rate (64 / width)^a (2 / layers)^b min(2, (batch / default batch)^c)
//
// The default batch follows the tokens (train/batch.h), so with it the rate does not depend on
// them.
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
inline constexpr double kLargestBatchFactor = 2;  // the largest that was measured

// AdamW with decoupled decay (Loshchilov and Hutter, 2019); values of Kumar et al. (arXiv
// 2411.04330).
struct OptimizerConfig {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-15;
  double weight_decay = 0.1;  // of matrices; norms are not decayed
  double clip = 1.0;          // largest norm of the gradient of a step; 0: no clipping
  double width_power = 1;     // a
  double depth_power = 0.25;  // b
  double batch_power = 0.75;  // c; 0 in runs of version 0.2 and earlier, which did not have it

  template <class V>
  void visit(V& v) {
    v("beta1", beta1, "decay of the first moment");
    v("beta2", beta2, "decay of the second moment");
    v("epsilon", epsilon, "added to the root of the second moment");
    v("weight_decay", weight_decay, "decoupled weight decay, of matrices only");
    v("clip", clip, "largest gradient norm of a step; 0: no clipping");
    v("width_power", width_power,
      "a in rate = lr (64 / width)^a (2 / layers)^b min(2, (batch / default)^c)");
    v("depth_power", depth_power, "b, the exponent of the layers");
    v("batch_power", batch_power,
      "c, the exponent of the batch over the default batch for as many tokens");
  }

  void check() const;  // Error, naming the key, if a value is out of range
};

// What the peak learning rate depends on.
struct RateScale {
  int64_t width, layers;
  double batch_ratio;  // to the default batch
};

// The peak learning rate; base_rate is that of width 64, 2 layers and the default batch.
double scaled_learning_rate(double base_rate, const RateScale& scale,
                            const OptimizerConfig& config);

// Factor that scales a gradient of this norm down to `clip`; 1 if it is already below, or clip is
// 0.
double clip_factor(double norm, double clip);

}  // namespace bitlaw
