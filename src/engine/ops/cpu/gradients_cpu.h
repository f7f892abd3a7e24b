// The two products of a linear layer's backward pass, one block of output features at a time, so
// that the block's gradient in both roundings and its rows of dw and of the weight stay in L2
// together. Internal to ops/cpu.
#pragma once

#include <algorithm>

#include "ops/cpu/weights_cpu.h"

namespace bitlaw::cpu {

class Gradients {
 public:
  static constexpr int64_t kColumns = 256;
  static constexpr int64_t kNear = 64 * 1024;  // elements of a gradient that stay in L2

  // Valid until the caller's workspace scope ends.
  Gradients(Context&, const Operand& x, const Weight& w, bool for_input, WeightGradient dw);

  // At least kColumns features of T tokens, in pieces of nearly equal size.
  int64_t columns_at_once(int64_t T, int64_t N) const;

  // dx (+)= g codes_w and dw (+)= h^T codes_x for features n0 .. n0 + columns, from their dy [T,
  // columns] with rows ld apart. Scales, dy begin at n0; dx (whole; or null) at 0.
  void add(Context&, int64_t T, int64_t n0, int64_t columns, const float* dy, int64_t ld,
           const float* x_scales, const float* w_scales, bool accumulate, float* dx) const;
  // The same from operands that are already rounded; g starts with `lead` columns of zeros.
  void multiply_block(Context&, int64_t T, int64_t n0, int64_t lead, int64_t columns, const Left& g,
                      const Left& h, bool accumulate, float* dx) const;
  // One of the two: dx = g codes_w over all N features; dw (+)= h^T codes_x for some.
  void multiply_for_input(Context&, int64_t T, int64_t N, const Left& g, float* dx) const;
  void multiply_for_weight(Context&, int64_t T, int64_t n0, int64_t columns, const Left& h) const;

 private:
  int64_t K_;
  Right weight_, input_;
  WeightGradient dw_;
  bool divisible_;
};

}  // namespace bitlaw::cpu
