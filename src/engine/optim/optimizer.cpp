#include "optim/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace bitlaw {

void OptimizerConfig::check() const {
  const auto require = [](bool ok, const char* key, double value, const char* rule) {
    if (!ok) throw Error(fmt::format("optimizer.{} = {}: expected {}", key, value, rule));
  };
  require(beta1 >= 0 && beta1 < 1, "beta1", beta1, "0 <= beta1 < 1");
  require(beta2 >= 0 && beta2 < 1, "beta2", beta2, "0 <= beta2 < 1");
  require(epsilon > 0 && std::isfinite(epsilon), "epsilon", epsilon, "a number above 0");
  require(weight_decay >= 0 && std::isfinite(weight_decay), "weight_decay", weight_decay,
          "0 or a positive number");
  require(clip >= 0 && std::isfinite(clip), "clip", clip, "a positive norm, or 0 for no clipping");
  require(std::isfinite(width_power), "width_power", width_power, "a finite exponent");
  require(std::isfinite(depth_power), "depth_power", depth_power, "a finite exponent");
  require(batch_power >= 0 && batch_power <= 2, "batch_power", batch_power,
          "an exponent of 0 to 2");
}

double scaled_learning_rate(double base_rate, const RateScale& scale,
                            const OptimizerConfig& config) {
  return base_rate *
         std::pow(kReferenceWidth / static_cast<double>(scale.width), config.width_power) *
         std::pow(kReferenceLayers / static_cast<double>(scale.layers), config.depth_power) *
         std::min(kLargestBatchFactor, std::pow(scale.batch_ratio, config.batch_power));
}

double clip_factor(double norm, double clip) {
  return clip > 0 && norm > clip ? clip / norm : 1;
}

}  // namespace bitlaw
