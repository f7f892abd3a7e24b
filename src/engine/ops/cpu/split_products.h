// Forward products of operands that plain BF16 products cannot take: scales for groups of k, codes
// of more than eight bits, values. On the tile unit they run on BF16 terms, split_products_amx.h,
// with every partial product exact. Internal to ops/cpu.
#pragma once

#include "ops/cpu/products.h"
#include "ops/quantize.h"

namespace bitlaw::cpu {

// W [N, K] as the right side, with its scales per block. Made once, multiplied often.
struct SplitWeight {
  int64_t block = 0;  // numbers along k that share a scale; K if all do
  int terms = 0;      // 0: not made
  Tensor memory;      // BF16
  Tensor scales;      // [blocks, N padded to 16] F32 if scales change along k
};
// Whether W is packed so (else as products.h does).
bool is_packed_split(const Context&, const Operand& w);
void pack_split(const Operand& w, SplitWeight& out);

// Whether this machine multiplies x with w in terms, which is faster than F32 values.
bool is_split_product(const Context&, const Operand& x, const Operand& w);
// y [T, N] = addend + x W^T; addend may be null or y. `packed` may be null; `plain` may be given
// for BF16 codes that are packed as products.h does.
void multiply_split(Context&, const Operand& x, const Operand& w, const SplitWeight* packed,
                    const Right* plain, const float* addend, float* y);

}  // namespace bitlaw::cpu
