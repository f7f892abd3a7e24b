// The definition of a comparison, in plain loops.
#pragma once

#include "ops/compare.h"

namespace bitlaw::ref {

TokenComparison compare_logits(const float* baseline, const float* logits, int64_t vocabulary,
                               int64_t target);

}  // namespace bitlaw::ref
