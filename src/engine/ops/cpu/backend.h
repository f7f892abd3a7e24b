// The CPU backend: every op of ops.inc. Included only by ops/cpu. Arguments are already checked.
#pragma once

#include "ops/backend.h"

namespace bitlaw::cpu {

#define OP(result, name, parameters) result name parameters;
#include "ops/ops.inc"
#undef OP

}  // namespace bitlaw::cpu
