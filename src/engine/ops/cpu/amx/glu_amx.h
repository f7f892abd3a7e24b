// The gated linear unit's product on the tile unit, with the gate taken as blocks leave the tiles.
#pragma once

#include "ops/cpu/amx/products_amx.h"
#include "ops/cpu/kernels.h"

namespace bitlaw::cpu::amx {

// y[m, f] = silu(gate) up with gate = (a b)[m, f], up = (a b)[m, F + f], times row and column
// scales; `product` holds a, the panels of gate (N = F, a multiple of 16) and the scales of both
// halves; `up` is the distance from gate's panels to those of up, in elements.
struct Gated {
  Product product;  // its addend and c are not used
  int64_t up;
  KeptGate kept;  // or neither
  float* y;
  int64_t ldy;
};
void multiply_gated(const Gated& gated);

}  // namespace bitlaw::cpu::amx
