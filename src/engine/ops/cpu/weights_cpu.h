// A prepared weight in the layouts of the CPU backend, and the conversion of operands to a
// product's type. Internal to ops/cpu.
#pragma once

#include "ops/cpu/backend.h"
#include "ops/cpu/products.h"
#include "ops/cpu/split_products.h"
#include "ops/cpu/words.h"

namespace bitlaw::cpu {

// W [N, K] laid out twice: as W^T for y = x W^T, in one of two ways, and as W for dx = dy W. A
// missing or unsuitable layout is made for the one call.
struct Layouts final : PackedWeight {
  Layouts() : PackedWeight(kCpuBackend) {}
  Right forward, backward;
  SplitWeight split;
};
// The CPU's packed weight, or null. The dispatch has already refused those of other backends.
inline const Layouts* layouts(const Weight& w) {
  return static_cast<const Layouts*>(w.packed.get());
}

// The scales of rows, or null.
inline const float* row_scales(const Operand& x) {
  return x.scales.defined() && x.group == 0 ? x.scales.f32() : nullptr;
}
// Whether the operand has BF16 codes and no scales except those of rows, as plain BF16 products
// need.
inline bool is_plain(const Operand& x) {
  return x.codes.dtype() == DType::kBF16 && x.group == 0;
}

// What is multiplied in the type of gradients where row_scales() are taken care of: codes, or
// values where scales are those of groups; rounded if they are not of that type yet.
Tensor gradient_numbers(Context&, const Operand& x);
// The values code * scale in F32.
Tensor values(Context&, const Operand& x);

bool is_laid_out(const Right& right, DType dtype);
// W^T for y = x W^T, where `numbers` are w's codes or values; W for dx = dy W.
Right forward_layout(Context&, const Weight& w, const Tensor& numbers);
Right backward_layout(Context&, const Weight& w);

}  // namespace bitlaw::cpu
