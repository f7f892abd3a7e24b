// The weights of a run as training rounded them, for programs that do not round.
#pragma once

#include "model/model.h"

namespace bitlaw::hf {

// A copy of `parameters` in which every matrix that the recipe rounds has the values that products
// see: codes times scales, rotated back where the recipe rotates. The output head is rounded as in
// training, too, unless it is the embedding table.
Parameters rounded_parameters(const ModelConfig& config, const Recipe& recipe,
                              const Parameters& parameters);

}  // namespace bitlaw::hf
