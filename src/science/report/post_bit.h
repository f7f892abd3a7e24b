// What one bit less costs after training, by a fit.
#pragma once

#include "base/json.h"
#include "laws/observation.h"

namespace bitlaw {

// The loss that 3 bits cost after training over that of 4, for a model of the size of `run`:
//   .ratio .low .high   the 90 % interval over the fit's draws, where it has any
//   .depends_on[]       the constants that the ratio depends on
// Null if there is no fit or its law has no term for quantization after training.
Json post_bit(const Json& fit, const Observation& run);

}  // namespace bitlaw
