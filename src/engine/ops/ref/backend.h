// The reference backend: every op of ops.inc. Included only by ops/ref. Arguments are already
// checked.
#pragma once

#include "ops/backend.h"

namespace bitlaw::ref {

#define OP(result, name, parameters) result name parameters;
#include "ops/ops.inc"
#undef OP

}  // namespace bitlaw::ref
