// The reference backend: every op of ops.inc. Only ops/ref includes this; the arguments have been
// checked.
#pragma once

#include "ops/backend.h"

namespace bitlaw::ref {

#define OP(result, name, parameters) result name parameters;
#include "ops/ops.inc"
#undef OP

}  // namespace bitlaw::ref
