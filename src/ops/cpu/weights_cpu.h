// A prepared weight as the CPU backend multiplies with it, and how operands become numbers of a
// product's type. Internal to ops/cpu.
#pragma once

#include "ops/cpu/backend.h"
#include "ops/cpu/products.h"

namespace bitlaw {

// W [N, K] laid out twice: as W^T for y = x W^T and as W for dx = dy W. A missing or unsuitable
// layout is made for the one call.
struct PackedWeight {
  cpu::Right forward, backward;
};

}  // namespace bitlaw

namespace bitlaw::cpu {

inline uint16_t* words(const Tensor& codes) {
  return reinterpret_cast<uint16_t*>(codes.bf16());
}
inline const float* optional(const Tensor& scales) {
  return scales.defined() ? scales.f32() : nullptr;
}

// Codes as numbers of `dtype` without scales, BF16 rounded if they are not BF16 yet.
Tensor codes_as(Context&, DType dtype, const Tensor& codes);
// The values code * scale in F32.
Tensor values(Context&, const Operand& x);

bool is_laid_out(const Right& right, DType dtype);
// W^T for y = x W^T, where `numbers` are w's codes or values; W for dx = dy W.
Right forward_layout(Context&, const Weight& w, const Tensor& numbers);
Right backward_layout(Context&, const Weight& w);

}  // namespace bitlaw::cpu
