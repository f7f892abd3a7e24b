// The gated linear unit. On the tile unit each block of the product goes through the gate as it
// leaves the tiles, and backward a block of the gate's gradient is rounded as soon as it is
// computed: neither the product nor its gradient is ever stored as a whole in F32.
#include <algorithm>

#include "ops/cpu/amx/products_amx.h"
#include "ops/cpu/gradients_cpu.h"

namespace bitlaw::cpu {
namespace {

// Floats of a product that are still in L2 when the gate reads them.
constexpr int64_t kNearFloats = 128 * 1024;
// Rows and features of a block of gradients: both its halves stay in L1.
constexpr int64_t kGluRows = amx::kStep, kGluFeatures = 128;

KeptGate kept_gate(const Tensor& gate_up, int64_t row, int64_t feature) {
  if (!gate_up.defined()) return {};
  const int64_t ld = gate_up.extent(1), at = row * ld + feature;
  const bool bf16 = gate_up.dtype() == DType::kBF16;
  return {bf16 ? words(gate_up) + at : nullptr, bf16 ? nullptr : gate_up.f32() + at, ld, ld / 2};
}

bool is_tiled_product(const Right& layout) {
  return layout.engine == Engine::kAmx && layout.packed;
}

}  // namespace

void glu_forward(Context& context, const Operand& x, const Weight& w, Tensor& gate_up, Tensor& y) {
  Workspace::Scope scope(context.workspace);
  const int64_t T = y.extent(0), F = y.extent(1), K = x.codes.extent(1);
  const Layouts* const own = layouts(w);
  if (is_plain(x) && is_plain(w.operand) && F % amx::kRows == 0 && own != nullptr &&
      is_tiled_product(own->forward)) {
    return multiply_gated(context, T, F, K, source(x.codes), own->forward,
                          {row_scales(x), row_scales(w.operand)}, kept_gate(gate_up, 0, 0),
                          y.f32());
  }
  if (gate_up.defined() && gate_up.dtype() == DType::kF32) {
    cpu::linear_forward(context, x, w, false, gate_up);
    return cpu::swiglu(context, gate_up, y);
  }
  const int64_t rows = std::clamp<int64_t>(kNearFloats / (2 * F) / 16 * 16, 16, T);
  for (int64_t begin = 0; begin < T; begin += rows) {
    Workspace::Scope block_scope(context.workspace);
    const int64_t count = std::min(rows, T - begin);
    Tensor product = context.workspace.take(DType::kF32, {count, 2 * F});
    cpu::linear_forward(context, rows_of(x, begin, begin + count), w, false, product);
    kernels(context).swiglu(product.f32(), product.f32() + F, 2 * F, count, F, {},
                            kept_gate(gate_up, begin, 0), y.f32() + begin * F, F);
  }
}

void glu_backward(Context& context, const Tensor& dy, const Tensor& gate_up, const Operand& x,
                  const Weight& w, Tensor& dx, WeightGradient dw) {
  Workspace::Scope scope(context.workspace);
  const int64_t T = dy.extent(0), F = dy.extent(1);
  const float *const x_scales = row_scales(x), *const w_scales = row_scales(w.operand);
  const Kernels& kernel = kernels(context);
  if (!is_tiled(context) || F % amx::kRows != 0) {
    const Tensor gradient = context.workspace.take(DType::kF32, {T, 2 * F});
    kernel.swiglu_backward(dy.f32(), F, kept_gate(gate_up, 0, 0), T, F, gradient.f32(),
                           gradient.f32() + F, 2 * F);
    return cpu::linear_backward(context, gradient, x, w, false, &dx, dw);
  }
  const Gradients gradients(context, x, w, true, dw);
  alignas(64) float dgate[kGluRows * kGluFeatures], dup[kGluRows * kGluFeatures];
  for (int64_t f0 = 0; f0 < F; f0 += Gradients::kColumns) {
    Workspace::Scope block_scope(context.workspace);
    const int64_t columns = std::min(Gradients::kColumns, F - f0);
    const int64_t lead = (F + f0) % amx::kStep;
    const TiledGradients gate(context, T, columns, 0), up(context, T, columns, lead);
    const auto round = [&](const TiledGradients& to, const float* block, int64_t t, int64_t n,
                           int64_t f, int64_t rows, int64_t features) {
      to.round(block, kGluFeatures, t, f, rows, features,
               x_scales == nullptr ? nullptr : x_scales + t,
               w_scales == nullptr ? nullptr : w_scales + n + f);
    };
    for (int64_t t = 0; t < T; t += kGluRows) {
      const int64_t rows = std::min(kGluRows, T - t);
      for (int64_t f = 0; f < columns; f += kGluFeatures) {
        const int64_t features = std::min(kGluFeatures, columns - f);
        kernel.swiglu_backward(dy.f32() + t * F + f0 + f, F, kept_gate(gate_up, t, f0 + f), rows,
                               features, dgate, dup, kGluFeatures);
        round(gate, dgate, t, f0, f, rows, features);
        round(up, dup, t, F + f0, f, rows, features);
      }
    }
    gradients.multiply_block(context, T, f0, 0, columns, gate.for_input(), gate.for_weight(),
                             f0 > 0, dx.f32());
    gradients.multiply_block(context, T, F + f0, lead, columns, up.for_input(), up.for_weight(),
                             true, dx.f32());
  }
}

}  // namespace bitlaw::cpu
