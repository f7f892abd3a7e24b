// A backend: a table of functions, one per op, that work on the memory of one device. A null
// pointer is an op that the backend does not have; calling it throws an Error of one sentence. So a
// new backend starts as a table with only its name, and grows op by op
// (docs/decisions/0009-a-backend.md).
#pragma once

#include "ops/attention.h"
#include "ops/compare.h"
#include "ops/embed.h"
#include "ops/glu.h"
#include "ops/linear.h"
#include "ops/loss.h"
#include "ops/norm.h"
#include "ops/quantize.h"
#include "ops/rotate.h"
#include "ops/swiglu.h"
#include "ops/update.h"

namespace bitlaw {

struct Backend {
  const char* name;        // for error messages
  Device device;           // of the memory it reads and writes
  bool takes_f64 = false;  // in addition to F32, for gradient checks
  // Memory for weights on its device, 64-byte aligned, not initialised.
  Tensor (*allocate)(DType, Shape) = nullptr;
  // Called around ops that follow each other closely on one thread (OpSequence): what one op sets
  // up may stay for the next.
  void (*begin_sequence)() = nullptr;
  void (*end_sequence)() = nullptr;

#define OP(result, name, parameters) result(*name) parameters = nullptr;
#include "ops/ops.inc"
#undef OP
};

// One op: its name, and its place in the table.
template <class Function>
struct Op {
  const char* name;
  Function Backend::*function;
};

namespace op {
#define OP(result, name, parameters) \
  inline constexpr Op<result(*) parameters> name{#name, &Backend::name};
#include "ops/ops.inc"
#undef OP
}  // namespace op

}  // namespace bitlaw
