// The cost of one bit less after training, from a fit.
#pragma once

#include "base/json.h"
#include "laws/observation.h"

namespace bitlaw {

// The loss added by 3 bits after training over that of 4 bits, for a model of the size of `run`:
//   .ratio .low .high   the 90 % interval over the fit's draws, if it has any
//   .depends_on[]       the constants that the ratio depends on
// Null if there is no fit or its law has no post-training term.
Json post_bit(const Json& fit, const Observation& run);

}  // namespace bitlaw
